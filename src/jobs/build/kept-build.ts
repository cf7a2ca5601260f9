import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { Directory } from "../../host/root-files/directory.ts";
import { removeFile, setModified, writeFile } from "../../host/root-files/files.ts";
import { makeDirectory } from "../../host/root-files/trees.ts";
import { buildOne, buildPrograms } from "./build-programs.ts";
import type { Built } from "./bundle.ts";
import {
  contentHash,
  fileOf,
  hashIfThere,
  type KeptFiles,
  type Kind,
  keptFiles,
  keptPathsOf,
  type Note,
  statusOf,
  writeNotes,
} from "./kept-files.ts";

type Build = (checkout: string) => Promise<Built>;

/** The content is read on demand and as bytes: nine megabytes of text would fill the heap of the start. */
export type ReadFile = Readonly<{ name: string; content: () => Uint8Array }>;

const COMMAND_LINE = "src/programs/command-line/command-line.ts";
const BUILDS: Readonly<Record<Kind, Build>> = {
  programs: buildPrograms,
  start: (checkout) => buildOne(checkout, { start: "src/programs/set-up/serve.ts" }),
  "command-line": (checkout) => buildOne(checkout, { "command-line": COMMAND_LINE }),
};

/** The versions and settings of the build, in addition to its sources. */
const BUILT_BY = [
  "package-lock.json",
  "tsconfig.json",
  ...["build-programs.ts", "bundle.ts", "kept-build.ts"].map((name) => `src/jobs/build/${name}`),
];
/** The times of files advance in steps, so a source that changes while it is read may get the time of a moment before. */
const STEP_MS = 2_000;

/**
 * Returns the build of this checkout. Reads the last one if every source is unchanged, which takes a tenth of the processor time. Keeps
 * nothing if root may not write safely.
 */
export async function keptBuild(checkout: string, kind: Kind, build = BUILDS[kind]): Promise<readonly ReadFile[]> {
  const kept = keptFiles(checkout, kind);
  if (kept === null) {
    const { files } = await buildAndKeep(checkout, kind, build);
    return files.map(({ name, text }) => ({ name, content: () => Buffer.from(text) }));
  }
  if (!kept.hasTimes) noteTimes(checkout, kind, kept);
  const { directory } = keptPathsOf(checkout, kind);
  return kept.names.map((name) => ({
    name: decodeURIComponent(name),
    content: () => readFileSync(join(directory, name)),
  }));
}

/** Whether the kept build exists now, for a program that is loaded from it. Builds it if it is missing and can be kept. */
export async function isKept(checkout: string, kind: Kind): Promise<boolean> {
  const kept = keptFiles(checkout, kind);
  if (kept?.hasTimes === false) noteTimes(checkout, kind, kept);
  if (kept !== null) return true;
  try {
    if (!mayKeep(checkout)) return false;
    return (await buildAndKeep(checkout, kind, BUILDS[kind])).isKept;
  } catch {
    // The program runs from its sources, and reports the problem itself.
    return false;
  }
}

type Laid = Readonly<{ root: string; place: string; at?: Date }>;

/**
 * Makes the whole build of the checkout at `root`, for a package or an image in which its path will be `place`. `at`: the time of all
 * files, which the sources have already.
 */
export async function keepAll(laid: Laid, kinds: readonly Kind[] = ["programs", "start", "command-line"]) {
  // The bundler is a Go program. Without garbage collection it takes a third less time, but 360 MB, which a small server would not have.
  process.env["GOGC"] ??= "off";
  for (const kind of kinds) lay(laid, kind, await BUILDS[kind](laid.root));
}

function lay({ root, place, at }: Laid, kind: Kind, { files, sources }: Built): void {
  const { directory, record } = keptPathsOf(root, kind);
  makeDirectory(directory, 0o755);
  const kept = files.map(({ name, text }): Note => {
    const path = encodeURIComponent(name);
    const file = join(directory, path);
    writeFile(file, text, { mode: 0o644, flush: false });
    if (at !== undefined) setModified(file, at);
    // Describes the text that was to be written, because a concurrent start may have replaced the file.
    return {
      kept: true,
      status: `${Buffer.byteLength(text)} ${statSync(file).mtimeMs}`,
      hash: contentHash(text),
      path,
    };
  });
  const paths = [...sources, ...BUILT_BY.map((path) => join(root, path))];
  const read = [...new Set(paths)].map((path): Note => {
    return { kept: false, status: statusOf(path), hash: hashIfThere(path), path: relative(root, path) };
  });
  writeFile(record, writeNotes(place, [...kept, ...read]), { mode: 0o644, flush: false });
  if (at !== undefined) setModified(record, at);
  // Removes files of an earlier build, whose page had different program names.
  const wanted = new Set([record, ...kept.map(({ path }) => join(directory, path))]);
  for (const path of readdirSync(directory).map((name) => join(directory, name)))
    if (!wanted.has(path)) removeFile(path);
}

async function buildAndKeep(checkout: string, kind: Kind, build: Build) {
  const began = Date.now();
  const built = await build(checkout);
  const { files, sources } = built;
  // A source that changed during the build may or may not be in it.
  const all = [...sources, ...BUILT_BY.map((path) => join(checkout, path))];
  const isStill = all.every((path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) <= began - STEP_MS);
  try {
    if (!isStill || !mayKeep(checkout)) return { files, isKept: false };
    lay({ root: checkout, place: checkout }, kind, built);
    return { files, isKept: true };
  } catch {
    // This only makes the next start slower.
    return { files, isKept: false };
  }
}

/** Throws UnsafePath. */
function mayKeep(checkout: string): boolean {
  const packages = join(checkout, "node_modules");
  using opened = Directory.own(packages);
  // If the packages are a link, they belong to another checkout.
  return opened.path === packages;
}

/** Records the present times of files whose content is unchanged. */
function noteTimes(checkout: string, kind: Kind, { notes }: KeptFiles): void {
  try {
    const timed = notes.map((note) => ({ ...note, status: statusOf(fileOf(note, checkout, kind)) }));
    writeFile(keptPathsOf(checkout, kind).record, writeNotes(checkout, timed), { mode: 0o644, flush: false });
  } catch {
    // This only makes the next start slower.
  }
}
