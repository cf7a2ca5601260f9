import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../core/error.ts";

/** More than the longest report that Fail2ban's action writes. */
const MOST_BYTES = 1024 * 1024;

type ReportText = Readonly<{ ok: true; text: string }> | Readonly<{ ok: false; reason: string }>;

/**
 * A directory in which another program leaves one file for each report. A file is complete once its name ends in
 * `.json`.
 */
export class ReportSpool {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** At most `most` names, the oldest first. Throws if the directory cannot be read. */
  waiting(most: number): readonly string[] {
    return readdirSync(this.#directory)
      .filter((name) => /^[\w-]+\.json$/.test(name))
      .toSorted()
      .slice(0, most);
  }

  /** The writer is not trusted: only a regular file of a plausible size is read. */
  read(name: string): ReportText {
    let fd: number | null = null;
    try {
      fd = openSync(join(this.#directory, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const file = fstatSync(fd);
      if (!file.isFile() || file.size > MOST_BYTES) return { ok: false, reason: "It is no file of a report's size." };
      const bytes = Buffer.alloc(file.size);
      return { ok: true, text: bytes.toString("utf8", 0, readSync(fd, bytes, 0, file.size, 0)) };
    } catch (error) {
      return { ok: false, reason: messageOf(error) };
    } finally {
      if (fd !== null) closeSync(fd);
    }
  }

  remove(name: string): void {
    rmSync(join(this.#directory, name), { recursive: true, force: true });
  }
}
