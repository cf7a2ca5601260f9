import { join } from "node:path";
import type { BuildOptions } from "esbuild";
import { buildPage } from "./build-page.ts";
import { type Built, bundling, FOR_NODE, inAscii, inOneByte, sourcesOf } from "./bundle.ts";

const PROGRAMS = {
  guard: "src/daemon/guard/main.ts",
  "guard-databases": "src/daemon/guard/databases-main.ts",
  web: "src/daemon/web/main.ts",
  "web-lookups": "src/daemon/web/lookups-main.ts",
  "web-passwords": "src/daemon/web/passwords-main.ts",
  "web-trials": "src/daemon/web/trials-main.ts",
  keeper: "src/daemon/keeper/main.ts",
  maintenance: "src/daemon/maintenance/main.ts",
  backup: "src/daemon/backup/main.ts",
  report: "src/daemon/report/main.ts",
  export: "src/daemon/export/main.ts",
  check: "src/cli/check/main.ts",
};

/** The programs of the services, each in one file, and the script, styles and texts of the dashboard. */
export async function buildPrograms(checkout: string): Promise<Built> {
  return bundling(checkout, async (make) => {
    const [services, page] = await Promise.all([make(programs(checkout, PROGRAMS)), buildPage(checkout, make)]);
    const built = services.outputFiles.map(({ path, text }) => ({ path, text: inAscii(text) }));
    return {
      files: [...built, ...page.outputFiles].map(({ path, text }) => ({ name: path.slice(1), text: inOneByte(text) })),
      sources: [
        ...[services.metafile, ...page.metafiles].flatMap((metafile) => sourcesOf(checkout, metafile)),
        ...page.sources,
      ],
    };
  });
}

/** What start.ts runs. */
export async function buildStart(checkout: string): Promise<Built> {
  return buildOne(checkout, { start: "src/daemon/set-up/serve.ts" });
}

/** What main.ts of the command line runs. */
export async function buildCommandLine(checkout: string): Promise<Built> {
  return buildOne(checkout, { "command-line": "src/cli/command-line.ts" });
}

/** They lie beside what finds them, and most runs load none of these: the bundler, lists of words, and what sends mail. */
const LEFT_OUT = ["esbuild", "@zxcvbn-ts/*", "nodemailer"];

/** A program that is kept in the checkout. */
async function buildOne(checkout: string, program: Readonly<Record<string, string>>): Promise<Built> {
  return bundling(checkout, async (make) => {
    const { outputFiles, metafile } = await make({
      ...programs(checkout, program),
      outExtension: { ".js": ".mjs" },
      external: LEFT_OUT,
    });
    return {
      files: outputFiles.map(({ path, text }) => ({ name: path.slice(1), text: inAscii(text) })),
      sources: sourcesOf(checkout, metafile),
    };
  });
}

function programs(checkout: string, paths: Readonly<Record<string, string>>): BuildOptions {
  const entryPoints = Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, join(checkout, path)]));
  return { ...FOR_NODE, entryPoints };
}
