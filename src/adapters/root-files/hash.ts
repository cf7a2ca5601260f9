import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { basename, dirname } from "node:path";
import { Directory } from "./directory.ts";
import { codeOf, UnsafePath } from "./unsafe-path.ts";

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const PIECE_BYTES = 1 << 20;
/** Error codes: the file is missing, or is a link or a socket. */
const NO_FILE: ReadonlySet<string> = new Set(["ENOENT", "ELOOP", "ENXIO"]);

/**
 * SHA-256 of a file that another user may have put there, as hexadecimal digits; null if there is none, or a
 * link on the way to it that another user may have made.
 */
export function hashOf(path: string): string | null {
  try {
    using directory = Directory.open(dirname(path));
    const fd = openSync(directory.at(basename(path)), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      return fstatSync(fd).isFile() ? digest(fd) : null;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof UnsafePath || NO_FILE.has(String(codeOf(error)))) return null;
    throw error;
  }
}

function digest(fd: number): string {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (let read = readSync(fd, piece); read > 0; read = readSync(fd, piece)) hash.update(piece.subarray(0, read));
  return hash.digest("hex");
}
