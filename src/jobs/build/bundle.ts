import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildOptions, BuildResult, Metafile, Plugin } from "esbuild";
import { messageOf } from "../../core/error.ts";
import { SetUpFailure } from "../../host/running/failure.ts";

/** `name`: the path below its later directory. */
type BuiltFile = Readonly<{ name: string; text: string }>;
/** `sources`: the paths of the files that it was built from. */
export type Built = Readonly<{ files: readonly BuiltFile[]; sources: readonly string[] }>;
export type Make = (options: BuildOptions) => Promise<BuildResult<{ write: false; metafile: true }>>;

/** Returns what `work` bundles from this checkout. Throws SetUpFailure. */
export async function bundling(checkout: string, work: (make: Make) => Promise<Built>): Promise<Built> {
  // Loading esbuild takes longer than reading its output from the last start.
  let stop: (() => Promise<void>) | undefined;
  try {
    const { build, ...esbuild } = await import("esbuild");
    stop = esbuild.stop;
    return await work(async (options) =>
      build({
        ...options,
        absWorkingDir: checkout,
        bundle: true,
        write: false,
        metafile: true,
        format: "esm",
        logLevel: "silent",
      }),
    );
  } catch (error) {
    const says = messageOf(error).split("\n").slice(0, 2).join(" ");
    throw new SetUpFailure(`The programs could not be built from ${checkout}: ${says}`);
  } finally {
    // Otherwise the process of esbuild would live as long as this one.
    await stop?.();
  }
}

/** Some libraries are CommonJS and call require for Node's own modules. */
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** Large parts of Node, which most runs of a program hardly use. */
const LARGE = /^(node:)?(http|http2|https|tls|zlib)$/;
/**
 * An import statement reads every export of these modules: that of node:http loads fetch() and HTTP/2, which take 7 MB. Replaces the
 * statements by calls, which load only what is used, at its first use.
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

/** zxcvbn's word lists are in a form that takes six times as long to read as JSON. */
const READ_LISTS_QUICKLY: Plugin = {
  name: "read-lists-quickly",
  setup(bundler) {
    bundler.onLoad({ filter: /\/@zxcvbn-ts\/language-[a-z]+\/dist\/\w+\.json\.mjs$/ }, async ({ path }) => {
      const loaded: unknown = await import(pathToFileURL(path).href);
      const list = typeof loaded === "object" && loaded !== null && "default" in loaded ? loaded.default : [];
      return { contents: `export default JSON.parse(${JSON.stringify(JSON.stringify(list))});` };
    });
  },
};

/** For Node: programs in one file each. */
export const FOR_NODE = {
  outdir: "/",
  platform: "node",
  target: "node26",
  // For a package in both module formats, prefers ES modules, which keep its names.
  mainFields: ["module", "main"],
  banner: { js: REQUIRE },
  plugins: [LOAD_LITTLE, READ_LISTS_QUICKLY],
  legalComments: "eof",
} satisfies BuildOptions;

/**
 * Escapes all characters beyond ASCII. A single one, even in a comment, makes V8 store the whole program with two bytes a character: 1.3 MB
 * more in the guard. esbuild escapes those in strings. The rest are in regular expressions and comments, where an escape means the same, or
 * in raw templates, where it does not: none has such a character (build-programs.test.ts).
 */
export function inAscii(program: string): string {
  // As in core/text.ts, which the launcher lacks (run-kept.test.ts).
  return program.replaceAll(/[^\0-\u007f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The output of LOAD_LITTLE has no file. */
export function sourcesOf(checkout: string, { inputs }: Metafile): readonly string[] {
  return Object.keys(inputs)
    .filter((name) => !name.startsWith("load-little:"))
    .map((name) => resolve(checkout, name));
}
