import { existsSync, lstatSync, readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";

/** What is built of a checkout: the programs of the services, the start, the command line. */
export type Kind = "programs" | "start" | "command-line";

/** The state of a source, with its path below the checkout, or of a built file, with its path below its directory. */
export type Note = Readonly<{ kept: boolean; status: string; hash: string; path: string }>;

/** `hasTimes`: size and time of each source and file match the notes. Otherwise only the contents do. */
export type KeptFiles = Readonly<{ names: readonly string[]; notes: readonly Note[]; hasTimes: boolean }>;

const WRITABLE_BY_OTHERS = 0o022;

/** Beside Node's compile cache, and at the same depth in the checkout as checkout.ts. `record`: the notes. */
export function keptPathsOf(checkout: string, kind: Kind): Readonly<{ directory: string; record: string }> {
  const directory = join(checkout, "node_modules", ".cache", kind);
  return { directory, record: join(directory, "sources") };
}

/**
 * The kept build of this checkout; null if there is none, if a source or a kept file has changed since, or if another user could have put
 * it there. If the packages are a link, they belong to another checkout, and so does the build in them.
 */
export function keptFiles(checkout: string, kind: Kind): KeptFiles | null {
  const { directory, record } = keptPathsOf(checkout, kind);
  const above = [join(checkout, "node_modules"), join(checkout, "node_modules", ".cache"), directory];
  try {
    if (!above.every((path) => isSafe(lstatSync(path), "directory")) || !isSafe(lstatSync(record), "file")) return null;
    const [made, ...lines] = readFileSync(record, "utf8").trimEnd().split("\n");
    if (made !== checkout) return null;
    const notes = lines.map(readNote);
    const names = notes.flatMap(({ kept, path }) => (kept ? [path] : []));
    if (names.length === 0 || !names.every((name) => isSafe(lstatSync(join(directory, name)), "file"))) return null;
    const changed = notes.filter((note) => statusOf(fileOf(note, checkout, kind)) !== note.status);
    const isSame = changed.every((note) => hashIfThere(fileOf(note, checkout, kind)) === note.hash);
    return isSame ? { names, notes, hasTimes: changed.length === 0 } : null;
  } catch {
    // A directory or file is missing, or the record is truncated.
    return null;
  }
}

export function writeNotes(checkout: string, notes: readonly Note[]): string {
  const lines = notes.map(({ kept, status, hash, path }) => `${kept ? "kept" : "source"} ${status} ${hash} ${path}`);
  return `${[checkout, ...lines].join("\n")}\n`;
}

function readNote(line: string): Note {
  const [, what, status = "", hash = "", path = ""] = /^(kept|source) (\S+ \S+) (\S+) (.+)$/.exec(line) ?? [];
  if (what === undefined) throw new Error(`no note: ${line}`);
  return { kept: what === "kept", status, hash, path };
}

export function fileOf({ kept, path }: Note, checkout: string, kind: Kind): string {
  return join(kept ? keptPathsOf(checkout, kind).directory : checkout, path);
}

function isSafe(stat: Stats, kind: "directory" | "file"): boolean {
  const { uid, mode } = stat;
  const isOne = kind === "file" ? stat.isFile() : stat.isDirectory();
  return isOne && (uid === 0 || uid === process.geteuid?.()) && (mode & WRITABLE_BY_OTHERS) === 0;
}

/** The file's size and modification time; `- -` if it is missing. */
export function statusOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? "- -" : `${stat.size} ${stat.mtimeMs}`;
}

export function hashIfThere(path: string): string {
  return existsSync(path) ? contentHash(readFileSync(path)) : "-";
}

export function contentHash(content: string | Uint8Array): string {
  // Loaded on demand, because it is large and seldom needed.
  const { hash } = process.getBuiltinModule("node:crypto");
  return hash("sha256", content);
}
