import { constants, linkSync, openSync, readlinkSync, readSync, type Stats, symlinkSync, writeSync } from "node:fs";
import { basename, dirname } from "node:path";
import { codeOf, nullOn } from "../../core/error.ts";
import { bytesWithoutSpace, MOST_WITHOUT_SPACE } from "./copies.ts";
import { Descriptor, Directory, explained, UnsafePath } from "./directory.ts";
import { DEEPEST, removeTree } from "./walk.ts";

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
/**
 * Each IMAP COPY of a mail adds a name to its file. Ext4 allows 65,000 names. XFS allows more, which a restore to ext4 could not make.
 */
const MOST_NAMES = 32_000;
/** Other users cannot write into root's directories. */
const NOT_BY_OTHERS = 0o755;
const PIECE_BYTES = 1 << 20;
/**
 * The kernel writes times in steps of a tick, so a change whose time is this close to a check may have come after it. Twice the
 * longest tick.
 */
const TICK_MS = 20;

export type MirrorRules = Readonly<{
  /** Whether files of this directory never change once they have their name, so that a hard link is as good as a copy. */
  links: (directory: string) => boolean;
  /** Whether removed files stay in the mirror. */
  keeps?: boolean;
  /** Whether the other names of a copied file become names of its copy. */
  joins?: boolean;
  /** Maximum names of a file in the mirror, `MOST_NAMES` by default. */
  mostNames?: number;
  /** Whether a name is excluded. */
  skips: (path: string, stat: Stats) => boolean;
}>;

/** Copies everything, and keeps what is removed between passes. */
export const COPY_ALL: MirrorRules = { links: () => false, skips: () => false, keeps: true };

/**
 * Mirrors a directory, in which other users write, into one of root's without stopping them: by hard links where files never
 * change, by copies elsewhere. The next pass finds changes since, and reads only directories that changed. Does not follow
 * links, and skips sockets, pipes and devices. Directories and copies belong to root.
 */
export class Mirror {
  readonly #from: string;
  readonly #to: string;
  readonly #rules: MirrorRules;
  readonly #mostNames: number;
  /** The directories read so far: their change times and subdirectories. */
  readonly #seen = new Map<string, Readonly<{ changedAt: number; directories: readonly string[] }>>();

  /** Where a file with several names was copied to, by its device and inode, so that its other names become names of the copy. */
  readonly #copied = new Map<string, Readonly<{ directory: string; name: string; ino: number }>>();

  #withoutSpace = 0;

  /** `to` must be on the same file system if anything is linked. */
  constructor(from: string, to: string, rules: MirrorRules) {
    this.#from = from;
    this.#to = to;
    this.#rules = rules;
    this.#mostNames = rules.mostNames ?? MOST_NAMES;
  }

  /** Runs one pass. Returns how many entries were added, replaced or removed: 0 if nothing changed since the last pass. */
  pass(): number {
    return explained(this.#from, () => {
      using from = Directory.openIfThere(this.#from);
      if (from === null) return 0;
      using parent = Directory.own(dirname(this.#to));
      return this.#mirrorInto(from, parent, { name: basename(this.#to), depth: 0 });
    });
  }

  /** Mirrors into the directory of this name, which is created if it is missing. */
  #mirrorInto(from: Directory, parent: Directory, { name, depth }: Level): number {
    const isNew = parent.makeDirectory(name, 0o700);
    using to = parent.enter(name);
    if (isNew) to.setMode(from.stat.mode & NOT_BY_OTHERS);
    return this.#directory(from, to, depth) + Number(isNew);
  }

  #directory(from: Directory, to: Directory, depth: number): number {
    if (depth === DEEPEST)
      throw new UnsafePath(`${from.path} lies deeper than ${DEEPEST} directories: move it away and try again.`);
    const readAt = Date.now();
    const changedAt = from.stat.mtimeMs;
    const seen = this.#seen.get(from.path);
    const isSettled = seen?.changedAt === changedAt;
    // Copies are compared each time, because writing to a file does not change its directory.
    const names = isSettled && this.#rules.links(from.path) ? seen.directories : [...from.names()];
    const directories: string[] = [];
    let changes = 0;
    for (const name of names) {
      using held = from.hold(name);
      // It may have been renamed into a part that was read before, so another pass is needed.
      if (held === null) changes += 1;
      if (held === null || this.#rules.skips(`${from.path}/${name}`, held.stat)) continue;
      if (held.stat.isDirectory()) {
        directories.push(name);
        changes += this.#subdirectory(from, to, { name, depth: depth + 1 });
      } else changes += this.#file(from, to, { name, held });
    }
    if (!isSettled && this.#rules.keeps !== true) changes += removeOthers(to, new Set(names));
    if (changedAt < readAt - TICK_MS) this.#seen.set(from.path, { changedAt, directories });
    return changes;
  }

  #file(from: Directory, to: Directory, entry: Entry): number {
    const { stat } = entry.held;
    if (stat.isSymbolicLink()) return copyLink(from, to, entry);
    if (!stat.isFile()) return 0;
    return this.#rules.links(from.path) ? this.#link(from, to, entry) : this.#copy(from, to, entry);
  }

  /** Adds a hard link. Returns 1 if it is new. */
  #link(from: Directory, to: Directory, entry: Entry): number {
    const { name, held } = entry;
    using present = to.hold(name);
    if (present?.stat.ino === held.stat.ino) return 0;
    if (held.stat.nlink >= this.#mostNames) return this.#copy(from, to, entry);
    // A reader of the mirror would read a sparse file's holes in full, which may take years.
    const { size, blocks } = held.stat;
    if (bytesWithoutSpace({ size, blocks, nlink: 1 }) > MOST_WITHOUT_SPACE) throw tooLong(`${from.path}/${name}`);
    if (present !== null) removeName(to, name);
    // The name may be gone or belong to another file by now. The next pass sees that.
    try {
      linkSync(from.at(name), to.at(name));
    } catch (error) {
      if (codeOf(error) === "EMLINK") return this.#copy(from, to, entry);
      if (codeOf(error) === "EXDEV")
        throw new UnsafePath(
          `${from.path} is on another mount than ${to.path}, so its files cannot get hard links there: keep both on one.`,
        );
      if (codeOf(error) !== "ENOENT") throw error;
    }
    return 1;
  }

  /** Copies a file. Returns 1 if there was no copy, or a different one. */
  #copy(from: Directory, to: Directory, { name, held }: Entry): number {
    {
      using present = to.hold(name);
      if (present !== null && isCopyOf(present, held)) return 0;
    }
    using source = nullOn(["ENOENT", "ELOOP"], () => new Descriptor(openSync(from.at(name), READ)));
    // Renamed during this pass, like a directory that cannot be entered, so another pass is needed.
    if (source === null || !source.stat.isFile()) return 1;
    const { stat } = source;
    if (this.#linkCopy(source, to, name)) return 1;
    const joins = stat.nlink > 1 && (this.#rules.joins === true || this.#rules.links(from.path));
    this.#limitSpace(`${from.path}/${name}`, stat, joins && !this.#copied.has(source.identity));
    removeName(to, name);
    using made = new Descriptor(to.createNew(name, 0o600));
    if (joins) this.#copied.set(source.identity, { directory: to.path, name, ino: made.stat.ino });
    copyBytes(source.fd, made.fd, stat.size);
    made.setMode(stat.mode & NOT_BY_OTHERS);
    made.setModified(stat.mtime);
    return 1;
  }

  /** Links an earlier copy of the file. False if there is none, or if it differs by now or has too many names. */
  #linkCopy(source: Descriptor, to: Directory, name: string): boolean {
    const copied = this.#copied.get(source.identity);
    if (copied === undefined) return false;
    const isLinked = nullOn(["ENOENT", "EMLINK"], () => {
      using place = Directory.own(copied.directory);
      using copy = place.hold(copied.name);
      if (copy === null || copy.stat.ino !== copied.ino || !isCopyOf(copy, source)) return false;
      if (copy.stat.nlink >= this.#mostNames) return false;
      removeName(to, name);
      linkSync(place.at(copied.name), to.at(name));
      return true;
    });
    return isLinked === true;
  }

  /** Keeps other users, who write there, from filling the disk with files that cost them nothing. */
  #limitSpace(path: string, { size, blocks, nlink }: Stats, isForAllNames: boolean): void {
    this.#withoutSpace += bytesWithoutSpace({ size, blocks, nlink: isForAllNames ? 1 : nlink });
    if (this.#withoutSpace > MOST_WITHOUT_SPACE) throw tooLong(path);
  }

  #subdirectory(from: Directory, to: Directory, level: Level): number {
    const { name } = level;
    using inner = nullOn(["ENOTDIR", "ENOENT"], () => from.enter(name));
    if (inner === null) return 1;
    using present = to.hold(name);
    if (present?.stat.isDirectory() === false) to.remove(name);
    return this.#mirrorInto(inner, to, level);
  }
}

type Level = Readonly<{ name: string; depth: number }>;
type Entry = Readonly<{ name: string; held: Descriptor }>;

function tooLong(path: string): UnsafePath {
  return new UnsafePath(`${path} is far longer than the space that it takes on the disk: move it away and try again.`);
}

/** Removes a name, even if it was a directory at the last pass. */
function removeName(to: Directory, name: string): void {
  removeTree(`${to.path}/${name}`);
}

/** Makes a new link, because a hard link cannot be on another file system. Returns 1 if it is new or led elsewhere. */
function copyLink(from: Directory, to: Directory, { name }: Entry): number {
  const read = (place: Directory): string | null => nullOn(["ENOENT", "EINVAL"], () => readlinkSync(place.at(name)));
  const target = read(from);
  if (target === null || target === read(to)) return 0;
  removeName(to, name);
  symlinkSync(target, to.at(name));
  return 1;
}

/** Allows for the time of a copy, which is rounded to the millisecond. */
function isCopyOf(copy: Descriptor, { stat }: Descriptor): boolean {
  return Math.abs(copy.stat.mtimeMs - stat.mtimeMs) < 1 && copy.stat.size === stat.size;
}

/** Copies at most `most` bytes. The next pass copies what is appended during this one. */
function copyBytes(source: number, target: number, most: number): void {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (let copied = 0; copied < most; ) {
    const read = readSync(source, piece, 0, Math.min(most - copied, PIECE_BYTES), null);
    if (read === 0) return;
    for (let written = 0; written < read; ) written += writeSync(target, piece, written, read - written);
    copied += read;
  }
}

function removeOthers(to: Directory, keep: ReadonlySet<string>): number {
  const others = [...to.names()].filter((name) => !keep.has(name));
  for (const name of others) removeName(to, name);
  return others.length;
}
