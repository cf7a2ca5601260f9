/** Bound of a Postfix policy request, which has thirty attributes, the longest an address of 2 KB. */
export const POLICY_REQUEST_BYTES = 16 * 1024;
/** Bound of a line of the control socket in either direction, except for the guard's answers. */
export const CONTROL_LINE_BYTES = 64 * 1024;
/** Bound of an answer of the guard; the longest is an allow list of many thousand entries. */
export const CONTROL_REPLY_BYTES = 16 * 1024 * 1024;

/** Cuts a byte stream at a terminator, wherever the stream was split. Holds at most `maxBytes`. */
export class Framer {
  readonly #maxBytes: number;
  readonly #terminator: Buffer;
  #rest: Buffer | null = null;

  constructor(maxBytes: number, terminator = "\n") {
    this.#maxBytes = maxBytes;
    this.#terminator = Buffer.from(terminator);
  }

  /**
   * Passes on each frame that `chunk` completes, without its terminator. False once a frame exceeds the bound: the
   * stream can no longer be read, so the caller must drop the connection.
   */
  push(chunk: Buffer, take: (frame: string) => void): boolean {
    const terminator = this.#terminator;
    // The terminator may have started in the bytes left over, so the search starts a little before the new ones.
    let searchFrom = this.#rest === null ? 0 : Math.max(0, this.#rest.length - terminator.length + 1);
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(terminator, searchFrom);
      if ((end < 0 ? bytes.length : end) - start > this.#maxBytes) return false;
      if (end < 0) break;
      take(bytes.toString("utf8", start, end));
      start = end + terminator.length;
      searchFrom = start;
    }
    // A copy, so that a few bytes do not keep a whole read buffer alive.
    this.#rest = start === bytes.length ? null : Buffer.from(bytes.subarray(start));
    return true;
  }
}
