import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";

/** A file of an archive. `text`: its content, unless it is longer than a manifest can be. */
export type Packed = Readonly<{ path: string; bytes: number; sha256: string; text: Buffer | null }>;

const BLOCK = 512;
const MOST_KEPT = 16 << 20;
/** Type flags of regular files (POSIX ustar). */
const REGULAR = ["0", "\0"];
const DIRECTORY = "5";

/**
 * What a gzipped tar archive holds, read through once and unpacked nowhere: it may have been made to write outside of its
 * directory. Throws if it is no such archive, ends early, or holds anything but files and directories.
 */
export async function* packedFiles(file: string): AsyncGenerator<Packed> {
  // An error of the file, such as that it is a directory, reaches the reader through the last stream.
  const reader = new BlockReader(pipeline(createReadStream(file), createGunzip(), () => undefined));
  for (;;) {
    const header = await reader.take(BLOCK);
    if (header.length === 0) throw new Error("it ends early");
    if (header.every((byte) => byte === 0)) return;
    const { path, bytes, type } = headerOf(header);
    if (type === DIRECTORY) continue;
    if (!REGULAR.includes(type)) throw new Error(`${path} is no file`);
    const hash = createHash("sha256");
    const kept: Buffer[] = [];
    for (let left = bytes; left > 0; ) {
      const piece = await reader.take(Math.min(left, 1 << 20));
      if (piece.length === 0) throw new Error("it ends early");
      hash.update(piece);
      if (bytes <= MOST_KEPT) kept.push(piece);
      left -= piece.length;
    }
    await reader.take((BLOCK - (bytes % BLOCK)) % BLOCK);
    yield { path, bytes, sha256: hash.digest("hex"), text: bytes <= MOST_KEPT ? Buffer.concat(kept) : null };
  }
}

/** The fields of ustar: the name, the size in octal, the type, and the first part of a long name. */
function headerOf(header: Buffer): Readonly<{ path: string; bytes: number; type: string }> {
  const field = (from: number, length: number): string =>
    header.toString("utf8", from, from + length).replace(/\0[^]*$/, "");
  const size = field(124, 12).trim();
  if (field(257, 5) !== "ustar" || !/^[0-7]+$/.test(size)) throw new Error("it is no archive of this kind");
  const prefix = field(345, 155);
  const path = `${prefix === "" ? "" : `${prefix}/`}${field(0, 100)}`.replace(/^\.\//, "");
  return { path, bytes: Number.parseInt(size, 8), type: header.toString("latin1", 156, 157) };
}

/** Takes exact amounts from a stream. */
class BlockReader {
  readonly #pieces: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  /** Fewer bytes only at the end. */
  async take(bytes: number): Promise<Buffer> {
    const taken: Buffer[] = [];
    for (let left = bytes; left > 0; ) {
      if (this.#rest.length === 0) {
        const next = await this.#pieces.next();
        if (next.done === true) break;
        this.#rest = next.value;
      }
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      taken.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(taken);
  }
}
