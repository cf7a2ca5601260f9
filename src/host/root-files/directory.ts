import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  opendirSync,
  openSync,
  readlinkSync,
  type Stats,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { codeOf, nullOn } from "../../core/error.ts";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
/**
 * open(2): the descriptor refers to the file without opening it, so that no pipe blocks and no device is triggered. Node has
 * no name for this flag.
 */
export const O_PATH = 0o10000000;
/** Maximum number of links, like the kernel's (path_resolution(7)). */
export const MOST_LINKS = 40;
export const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

export type Owner = Readonly<{ uid: number; gid: number }>;

/** Root, if root runs this. */
export function ownUid(): number {
  return process.geteuid?.() ?? 0;
}

/** Root and its group, if root runs this. */
export function ourselves(): Owner {
  return { uid: ownUid(), gid: process.getegid?.() ?? 0 };
}

/**
 * A file of any kind, held by a descriptor, so that a file that takes its name later is not affected. Holds a link, not its target.
 */
export class Descriptor implements Disposable {
  readonly fd: number;
  #stat: Stats | null = null;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Read at the first use, because most directories on a path are only passed through. */
  get stat(): Stats {
    this.#stat ??= fstatSync(this.fd);
    return this.#stat;
  }

  /** Identifies the file under all of its names. */
  get identity(): string {
    return `${this.stat.dev}:${this.stat.ino}`;
  }

  give({ uid, gid }: Owner): void {
    chownSync(`/proc/self/fd/${this.fd}`, uid, gid);
  }

  setMode(mode: number): void {
    chmodSync(`/proc/self/fd/${this.fd}`, mode);
  }

  setModified(at: Date): void {
    utimesSync(`/proc/self/fd/${this.fd}`, at, at);
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

/**
 * A directory held by a descriptor. Node has no openat(2), so entries are reached through /proc/self/fd, which leads to
 * the directory even if its name has changed (proc(5)).
 */
export class Directory extends Descriptor {
  readonly path: string;

  private constructor(path: string, fd: number) {
    super(fd);
    this.path = path;
  }

  /**
   * Opens each directory of the path separately. Follows a link only if no other user can have made it, because root may
   * have made /var/mail a link. Throws UnsafePath.
   */
  static open(path: string): Directory {
    let here = new Directory("/", openSync("/", O_PATH | O_DIRECTORY));
    const ahead = resolve(path).split("/").filter(isName).toReversed();
    let links = 0;
    for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
      using left = here;
      const next = left.#step(name);
      if (next instanceof Directory) {
        here = next;
        continue;
      }
      links += 1;
      if (links > MOST_LINKS) throw new UnsafePath(`${path} has too many symbolic links: give the path without them.`);
      here = next.startsWith("/")
        ? new Directory("/", openSync("/", O_PATH | O_DIRECTORY))
        : new Directory(left.path, openSync(left.at("."), O_PATH | O_DIRECTORY));
      ahead.push(...next.split("/").filter(isName).toReversed());
    }
    return here;
  }

  /** Null if the path does not exist. */
  static openIfThere(path: string): Directory | null {
    return nullOn(["ENOENT"], () => Directory.open(path));
  }

  /** Opens a directory in which only this user can create, rename or remove files. Throws UnsafePath. */
  static own(path: string): Directory {
    const opened = Directory.open(path);
    try {
      opened.mustBeOwn();
      return opened;
    } catch (error) {
      opened[Symbol.dispose]();
      throw error;
    }
  }

  mustBeOwn(): void {
    const { uid, mode } = this.stat;
    if (uid !== ownUid())
      throw new UnsafePath(`${this.path} belongs to uid ${uid}, so root does not write there: give it to root.`);
    if ((mode & WRITABLE_BY_OTHERS) !== 0)
      throw new UnsafePath(
        `Others may write in ${this.path}, so root does not: remove that right (chmod go-w ${this.path}).`,
      );
  }

  /** Throws UnsafePath if others may rename or replace files of root or this user. In a sticky one, as /tmp, they may only add names. */
  mustKeepNames(): void {
    const { uid, mode } = this.stat;
    const isOurs = uid === 0 || uid === ownUid();
    if (!isOurs || ((mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0))
      throw new UnsafePath(`Other users may rename files in ${this.path}, so root does not write there.`);
  }

  /** Whether only root or this user can have put this link into the directory. */
  isTrusted(link: Descriptor): boolean {
    const isOurs = [link, this].every(({ stat: { uid } }) => uid === 0 || uid === ownUid());
    return isOurs && (this.stat.mode & WRITABLE_BY_OTHERS) === 0;
  }

  /** The path of a name in this directory, for a system call that does not follow a link in the last part. */
  at(name: string): string {
    return `/proc/self/fd/${this.fd}/${name}`;
  }

  /** Opens the directory of that name. Throws ENOTDIR for a link. */
  enter(name: string): Directory {
    return new Directory(join(this.path, name), openSync(this.at(name), O_PATH | O_DIRECTORY | O_NOFOLLOW));
  }

  /** Holds the file of that name, of any kind. Null if there is none. */
  hold(name: string): Descriptor | null {
    const fd = nullOn(["ENOENT"], () => openSync(this.at(name), O_PATH | O_NOFOLLOW));
    return fd === null ? null : new Descriptor(fd);
  }

  /** True if it was created. Anything else with that name is left unchanged. */
  makeDirectory(name: string, mode: number): boolean {
    return nullOn(["EEXIST"], () => mkdirSync(this.at(name), mode)) !== null;
  }

  /** The descriptor of a new file, open for writing; null if the name is taken. */
  create(name: string, mode: number): number | null {
    return nullOn(["EEXIST"], () => openSync(this.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
  }

  /** Throws UnsafePath if the name is taken: the caller has just removed it. */
  createNew(name: string, mode: number): number {
    const fd = this.create(name, mode);
    if (fd === null) throw new UnsafePath(`${join(this.path, name)} was just created by another program: try again.`);
    return fd;
  }

  /** Removes a link, not its target. */
  remove(name: string): void {
    nullOn(["ENOENT"], () => unlinkSync(this.at(name)));
  }

  /** Flushes the names in this directory, because fsync(2) of a file need not flush its name. */
  flush(): void {
    // A descriptor of O_PATH cannot be flushed.
    this.#flush(".", O_DIRECTORY);
  }

  /** Flushes the content of a regular file of ours. */
  flushFile(name: string): void {
    this.#flush(name, O_NOFOLLOW);
  }

  *names(): Generator<string> {
    using entries = opendirSync(`/proc/self/fd/${this.fd}`);
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) yield entry.name;
  }

  #flush(name: string, flags: number): void {
    using file = new Descriptor(openSync(this.at(name), O_RDONLY | flags));
    fsyncSync(file.fd);
  }

  /** The directory of that name, or the target of the link of that name. */
  #step(name: string): Directory | string {
    try {
      return this.enter(name);
    } catch (error) {
      if (codeOf(error) !== "ENOTDIR") throw error;
      using link = this.hold(name);
      const path = join(this.path, name);
      if (link === null || !link.stat.isSymbolicLink()) throw new UnsafePath(`${path} is not a directory.`);
      if (!this.isTrusted(link))
        throw new UnsafePath(`${path} is a symbolic link that root did not create, so it is not followed: remove it.`);
      return readlinkSync(this.at(name));
    }
  }
}

function isName(part: string): boolean {
  return part !== "" && part !== ".";
}

/** Thrown where root must not write. The message is one sentence for the administrator, with what to do next. */
export class UnsafePath extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = "UnsafePath";
  }
}

const DESCRIPTOR = /\/proc\/self\/fd\/\d+/g;

/** Runs the work; errors name the requested path instead of the descriptor (/proc/self/fd/7/x). */
export function explained<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw named(path, error);
  }
}

export function named(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UnsafePath || !("code" in error)) return error;
  const message = error.message.replaceAll(DESCRIPTOR, "").replace(/'[^']*'/, `'${path}'`);
  return Object.assign(new Error(message, { cause: error }), { code: error.code, path });
}
