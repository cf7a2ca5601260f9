import { join, resolve } from "node:path";
import type { BuildOptions, Metafile, Plugin } from "esbuild";
import { messageOf } from "../../core/error.ts";
import { buildPage } from "./build-page.ts";
import { SetUpFailure } from "./failure.ts";

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
/** Some libraries are CommonJS and call require for Node's own modules. */
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** Parts of Node that are large, and that most runs of a program need nothing or little of. */
const LARGE = /^(node:)?(http|http2|https|tls|zlib)$/;
/**
 * An import statement reads every export of these: that of node:http loads fetch() and HTTP/2, which are 7 MB. So they
 * become calls, which load what is used, and where it is used first.
 */
const LOAD_LITTLE: Plugin = {
  name: "load-little",
  setup(bundler) {
    bundler.onResolve({ filter: LARGE }, ({ path }) => ({ path, namespace: "load-little" }));
    bundler.onLoad({ filter: LARGE, namespace: "load-little" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/** By its path below the directory of the programs. */
export type BuiltFile = Readonly<{ name: string; text: string }>;
/** `sources`: the paths of the files that it was made of. */
export type Built = Readonly<{ files: readonly BuiltFile[]; sources: readonly string[] }>;

/** The programs of the services, each in one file, and the script, styles and texts of the dashboard. */
export async function buildPrograms(checkout: string): Promise<Built> {
  // Loading it takes longer than reading what it made at the last start.
  const { build, stop } = await import("esbuild");
  try {
    const make = (options: BuildOptions) =>
      build({
        ...options,
        absWorkingDir: checkout,
        bundle: true,
        write: false,
        metafile: true,
        format: "esm",
        logLevel: "silent",
      });
    const [services, page] = await Promise.all([make(programs(checkout)), buildPage(checkout, make)]);
    const built = services.outputFiles.map(({ path, text }) => ({ path, text: inAscii(text) }));
    return {
      files: [...built, ...page.outputFiles].map(({ path, text }) => ({ name: path.slice(1), text })),
      sources: [
        ...[services.metafile, ...page.metafiles].flatMap((metafile) => sourcesOf(checkout, metafile)),
        ...page.sources,
      ],
    };
  } catch (error) {
    const says = messageOf(error).split("\n").slice(0, 2).join(" ");
    throw new SetUpFailure(`The programs could not be built from ${checkout}: ${says}`);
  } finally {
    // Otherwise the process of esbuild would live as long as this one.
    await stop();
  }
}

/**
 * Other characters as escapes. A single one, though it be in a comment, makes V8 keep a whole program in two bytes a character: 1.3 MB
 * more in the guard. esbuild escapes those in strings; what it leaves are regular expressions and comments, where an escape is the same,
 * and raw templates, where it is not: none has such a character (build-programs.test.ts).
 */
function inAscii(program: string): string {
  return program.replaceAll(/[^\0-\u007f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function programs(checkout: string): BuildOptions {
  return {
    entryPoints: Object.fromEntries(Object.entries(PROGRAMS).map(([name, path]) => [name, join(checkout, path)])),
    outdir: "/",
    platform: "node",
    target: "node26",
    banner: { js: REQUIRE },
    plugins: [LOAD_LITTLE],
    legalComments: "eof",
  };
}

/** What LOAD_LITTLE writes has no file. */
function sourcesOf(checkout: string, { inputs }: Metafile): readonly string[] {
  return Object.keys(inputs)
    .filter((name) => !name.startsWith("load-little:"))
    .map((name) => resolve(checkout, name));
}
