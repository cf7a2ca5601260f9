import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type BuildOptions, build, type OutputFile, type Plugin, stop } from "esbuild";
import { copyFile, linkProgram } from "../../adapters/root-files/copies.ts";
import { writeFile } from "../../adapters/root-files/files.ts";
import { makeDirectory } from "../../adapters/root-files/trees.ts";
import { messageOf } from "../../core/error.ts";
import type { Layout } from "../../settings/layout.ts";
import { SetUpFailure } from "./failure.ts";

const PROGRAMS = ["guard", "web", "keeper", "maintenance"];
const PAGE_SOURCES = ["index.html", "style.css", "icon.svg"];
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

/** Puts the programs and their runtime where the unprivileged users can read them, wherever the clone is. */
export async function installPrograms(checkout: string, layout: Layout): Promise<void> {
  const page = { from: join(checkout, "dashboard"), to: join(layout.program, "dashboard") };
  const files = await bundled(checkout, [programs(checkout, layout.program), script(page.from, page.to)]);
  makeDirectory(page.to, 0o755);
  for (const { path, text } of files) writeIfDifferent(path, inOneByte(text));
  for (const file of PAGE_SOURCES) writeIfDifferent(join(page.to, file), readFileSync(join(page.from, file), "utf8"));
  writeIfDifferent(join(layout.program, "package.json"), '{ "type": "module" }\n');
  for (const file of [basename(layout.spamHead), "spam_view.py"])
    writeIfDifferent(join(layout.program, file), readFileSync(join(checkout, "security", file), "utf8"));
  installRuntime(process.execPath, layout.node);
}

function programs(checkout: string, to: string): BuildOptions {
  return {
    entryPoints: Object.fromEntries(PROGRAMS.map((name) => [name, join(checkout, "src", "daemon", name, "main.ts")])),
    outdir: to,
    platform: "node",
    target: "node26",
    banner: { js: REQUIRE },
    plugins: [LOAD_LITTLE],
    legalComments: "eof",
  };
}

/** The page as the web serves it: one script, and the static files. */
function script(from: string, to: string): BuildOptions {
  return { entryPoints: [join(from, "app.ts")], outfile: join(to, "app.js"), minify: true, target: "es2023" };
}

async function bundled(checkout: string, all: readonly BuildOptions[]): Promise<readonly OutputFile[]> {
  try {
    const made = await Promise.all(
      all.map((options) => build({ ...options, bundle: true, write: false, format: "esm", logLevel: "silent" })),
    );
    return made.flatMap(({ outputFiles }) => outputFiles ?? []);
  } catch (error) {
    const says = messageOf(error).split("\n").slice(0, 2).join(" ");
    throw new SetUpFailure(`The programs could not be built from ${checkout}: ${says}`);
  } finally {
    // Otherwise the process of esbuild would live as long as this one.
    await stop();
  }
}

/**
 * Each character beyond Latin-1 as its escape, which means the same in strings, patterns and comments. V8 keeps the text
 * of a program in memory, with two bytes for each character as soon as one of them needs two.
 */
export function inOneByte(text: string): string {
  return text.replace(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function writeIfDifferent(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  makeDirectory(dirname(path), 0o755);
  writeFile(path, text, { mode: 0o644 });
}

/** A second name for the same file if that is safe and possible, otherwise a copy. */
function installRuntime(from: string, to: string): void {
  const source = statSync(from);
  if (existsSync(to)) {
    const present = statSync(to);
    const same = present.ino === source.ino && present.dev === source.dev;
    if (same || (present.size === source.size && present.mtimeMs >= source.mtimeMs)) return;
  }
  if (!linkProgram(from, to)) copyFile(from, to, 0o755);
}
