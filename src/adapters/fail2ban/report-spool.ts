import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";

/** More than the longest report that Fail2ban's action writes. */
const MOST_BYTES = 128 * 1024;

type ReportText = Readonly<{ ok: true; text: string }> | Readonly<{ ok: false; reason: string }>;

/** A directory in which another program leaves one file a report, whole from the moment it is named `….json`. */
export class ReportSpool {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Names, the oldest first, at most `most`. Throws when the directory cannot be read. */
  waiting(most: number): readonly string[] {
    return readdirSync(this.#directory)
      .filter((name) => /^[\w-]+\.json$/.test(name))
      .toSorted()
      .slice(0, most);
  }

  /** Whoever writes there is not trusted: only an ordinary file of a size that a report can have is read. */
  read(name: string): ReportText {
    let fd: number | null = null;
    try {
      fd = openSync(join(this.#directory, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const file = fstatSync(fd);
      if (!file.isFile() || file.size > MOST_BYTES) return { ok: false, reason: "It is no file of a report's size." };
      const bytes = Buffer.alloc(file.size);
      return { ok: true, text: bytes.toString("utf8", 0, readSync(fd, bytes, 0, file.size, 0)) };
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : String(error) };
    } finally {
      if (fd !== null) closeSync(fd);
    }
  }

  remove(name: string): void {
    rmSync(join(this.#directory, name), { recursive: true, force: true });
  }
}
