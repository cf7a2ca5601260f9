import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import * as z from "zod/mini";
import { ownUid } from "../../adapters/root-files/directory.ts";
import { readPlain, writeFile } from "../../adapters/root-files/files.ts";
import { makeDirectory } from "../../adapters/root-files/trees.ts";
import type { Built, BuiltFile } from "./build-programs.ts";

/** Beside the compiled code that Node keeps. */
const KEPT = join("node_modules", ".cache", "programs", "build.json");
/** Three times what it is. */
const MOST_BYTES = 32_000_000;
const WRITABLE_BY_OTHERS = 0o022;

/** By which versions and settings the programs are built, besides their sources. */
const BUILT_BY = [
  "package-lock.json",
  "tsconfig.json",
  "src/daemon/set-up/build-programs.ts",
  "src/daemon/set-up/build-page.ts",
];

const Kept = z.object({
  /** Another one may share the packages by a link. */
  checkout: z.string(),
  /** SHA-256 of each file, by its path. */
  sources: z.record(z.string(), z.string()),
  files: z.array(z.object({ name: z.string(), text: z.string() })),
});

/**
 * What `build` makes of this checkout, from the last time if every source is as it was then: reading takes a tenth of the
 * processor time. Where root may not write safely, nothing is kept.
 */
export async function keptBuild(
  checkout: string,
  build: (checkout: string) => Promise<Built>,
): Promise<readonly BuiltFile[]> {
  const kept = readKept(checkout);
  if (kept !== null) return kept;
  const began = Date.now();
  const { files, sources } = await build(checkout);
  const paths = [...sources, ...BUILT_BY.map((path) => join(checkout, path))];
  // One that changes meanwhile may be in the build or not.
  if (paths.every((path) => changedAt(path) < began)) keep(checkout, recordOf({ files, sources }, checkout));
  return files;
}

/** What `keptBuild` finds at `place` once the checkout of `built` lies there: the file, below the checkout, and its text. */
export function keptFor(place: string, checkout: string, built: Built): BuiltFile {
  return { name: KEPT, text: recordOf(built, checkout, place) };
}

/** Null if there is none, or if a source has changed since. */
function readKept(checkout: string): readonly BuiltFile[] | null {
  try {
    const found = readPlain(join(checkout, KEPT), MOST_BYTES);
    if (found === null || found.owner.uid !== ownUid() || (found.mode & WRITABLE_BY_OTHERS) !== 0) return null;
    const { sources, files, ...made } = z.parse(Kept, JSON.parse(found.text));
    return made.checkout === checkout && Object.entries(sources).every(([path, hash]) => hashOf(path) === hash)
      ? files
      : null;
  } catch {
    // No such directory, or half a file.
    return null;
  }
}

function recordOf({ files, sources }: Built, checkout: string, place = checkout): string {
  const paths = [...sources, ...BUILT_BY.map((path) => join(checkout, path))];
  const hashes = paths.map((path) => [join(place, relative(checkout, path)), hashOf(path)] as const);
  const hashed: Readonly<Record<string, string>> = Object.fromEntries(hashes);
  return JSON.stringify({ checkout: place, sources: hashed, files });
}

function keep(checkout: string, record: string): void {
  const to = join(checkout, KEPT);
  try {
    makeDirectory(dirname(to), 0o755);
    writeFile(to, record, { mode: 0o644, flush: false });
  } catch {
    // Only the next start takes longer.
  }
}

/** Empty if there is none: that it comes is a change too. */
function hashOf(path: string): string {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("hex");
  } catch {
    return "";
  }
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
