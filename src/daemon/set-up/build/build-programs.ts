import { basename, join } from "node:path";
import type { Plugin } from "esbuild";
import { buildPage } from "./build-page.ts";
import { type Built, bundling, FOR_NODE, inAscii, inOneByte, sourcesOf } from "./bundle.ts";

const PROGRAMS = {
  guard: "src/daemon/guard/main.ts",
  "guard-databases": "src/daemon/guard/databases-main.ts",
  "stand-in": "src/daemon/guard/stand-in-main.ts",
  web: "src/daemon/web/main.ts",
  "web-lookups": "src/daemon/web/lookups-main.ts",
  "web-passwords": "src/daemon/web/passwords-main.ts",
  "web-trials": "src/daemon/web/trials-main.ts",
  keeper: "src/daemon/keeper/main.ts",
  "keeper-databases": "src/daemon/keeper/databases-main.ts",
  maintenance: "src/daemon/maintenance/main.ts",
  backup: "src/daemon/backup/main.ts",
  report: "src/daemon/report/main.ts",
  export: "src/daemon/export/main.ts",
  check: "src/cli/check/main.ts",
};

/** The programs of the services, each in one file, and the script, styles and texts of the dashboard. */
export async function buildPrograms(checkout: string): Promise<Built> {
  return bundling(checkout, async (make) => {
    const [services, page] = await Promise.all([
      make({ ...FOR_NODE, entryPoints: entryPoints(checkout, PROGRAMS) }),
      buildPage(checkout, make),
    ]);
    return {
      files: [
        ...services.outputFiles.map(({ path, text }) => ({ name: path.slice(1), text: inAscii(text) })),
        ...page.outputFiles.map(({ path, text }) => ({ name: path.slice(1), text: inOneByte(text) })),
      ],
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

/** Programs that are kept in the checkout find these beside them, and most runs load none of them: the bundler, and the mail sender. */
const LEFT_OUT = ["esbuild", "nodemailer"];
/** Two megabytes of words. */
const WORD_LISTS = ["@zxcvbn-ts/language-common", "@zxcvbn-ts/language-en"];
/** Each in a separate file, which is loaded when a password is judged. */
const WORDS_APART: Plugin = {
  name: "words-apart",
  setup(bundler) {
    bundler.onResolve({ filter: /^@zxcvbn-ts\/language-/ }, ({ path, kind }) =>
      kind === "dynamic-import" ? { path: `./${basename(path)}.mjs`, external: true } : undefined,
    );
  },
};

/** A program that is kept in the checkout. */
async function buildOne(checkout: string, program: Readonly<Record<string, string>>): Promise<Built> {
  return bundling(checkout, async (make) => {
    const one = { ...FOR_NODE, outExtension: { ".js": ".mjs" }, external: LEFT_OUT };
    const words = Object.fromEntries(WORD_LISTS.map((name) => [basename(name), name]));
    const { outputFiles, metafile } = await make({
      ...one,
      entryPoints: { ...entryPoints(checkout, program), ...words },
      plugins: [...FOR_NODE.plugins, WORDS_APART],
    });
    return {
      files: outputFiles.map(({ path, text }) => ({ name: path.slice(1), text: inAscii(text) })),
      sources: sourcesOf(checkout, metafile),
    };
  });
}

function entryPoints(checkout: string, paths: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, join(checkout, path)]));
}
