import {
  closeSync,
  constants,
  copyFileSync,
  createReadStream,
  createWriteStream,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  linkSync,
  openSync,
  renameSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Directory, type Held, ownUid } from "./directory.ts";
import { mustBePlain, replace } from "./replace.ts";
import { named, UnsafePath } from "./unsafe-path.ts";

const { COPYFILE_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const OTHERS_WRITE = 0o022;
const EVERYBODY_RUNS = 0o755;

export function copyFile(from: string, to: string, mode: number): void {
  replace(to, (place, fresh) => {
    copyFileSync(from, place.at(fresh), COPYFILE_EXCL);
    using copy = place.hold(fresh);
    mustBePlain(to, copy).setMode(mode);
  });
}

/** Gives a program a second name; false if that is impossible, or if other users than root may change the program. */
export function linkProgram(from: string, to: string): boolean {
  try {
    replace(to, (place, fresh) => {
      linkSync(from, place.at(fresh));
      using file = place.hold(fresh);
      if (file === null || !isOwnProgram(file)) throw new UnsafePath(`${from} can be changed by others.`);
    });
    return true;
  } catch {
    return false;
  }
}

function isOwnProgram({ stat }: Held): boolean {
  const { mode, uid } = stat;
  const isOwn = uid === ownUid() && (mode & OTHERS_WRITE) === 0;
  return stat.isFile() && isOwn && (mode & EVERYBODY_RUNS) === EVERYBODY_RUNS;
}

/**
 * Replaces a file by what the compressor makes of it, `.gz`, with the same owner, mode and time. It has another name until
 * it is complete.
 */
export async function compressFile(path: string, compressor: Transform): Promise<void> {
  using place = Directory.own(dirname(path));
  const [name, half] = [basename(path), `${basename(path)}.half`];
  const opened: number[] = [];
  try {
    const source = openSync(place.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    opened.push(source);
    const { uid, gid, mode, atime, mtime } = mustBePlain(path, { stat: fstatSync(source) }).stat;
    place.remove(half);
    const target = place.create(half, 0o600);
    if (target === null) throw new UnsafePath(`${path}.half was made by another program meanwhile: try again.`);
    opened.push(target);
    const read = createReadStream("", { fd: source, autoClose: false });
    await pipeline(read, compressor, createWriteStream("", { fd: target, autoClose: false }));
    fchownSync(target, uid, gid);
    fchmodSync(target, mode & 0o777);
    futimesSync(target, atime, mtime);
    renameSync(place.at(half), place.at(`${name}.gz`));
    place.remove(name);
  } catch (error) {
    throw named(path, error);
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}
