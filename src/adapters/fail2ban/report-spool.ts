import { closeSync, constants, type Dirent, fstatSync, opendirSync, openSync, readSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { codeOf, messageOf } from "../../core/error.ts";

/** More than the longest report that Fail2ban's action writes. */
const MOST_BYTES = 1024 * 1024;
/** Maximum names read at once: Fail2ban writes fewer reports in an hour of attacks. */
const MOST_NAMES = 4_000;
const NAMES_AT_ONCE = 256;
const REPORT = /^[\w-]+\.json$/;

/** `surplus`: files to remove unread, because the directory holds more than `MOST_NAMES`. */
export type Waiting = Readonly<{ reports: readonly string[]; surplus: readonly string[] }>;
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

  /** At most `most` reports, oldest first of the names that were read. Throws if the directory cannot be read. */
  waiting(most: number): Waiting {
    const entries = this.#entries();
    const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
    const reports = names
      .filter((name) => REPORT.test(name))
      .toSorted()
      .slice(0, most);
    if (entries.length < MOST_NAMES) return { reports, surplus: [] };
    const taken = new Set(reports);
    return { reports, surplus: names.filter((name) => !taken.has(name)) };
  }

  /** The directory may hold any number: at most `MOST_NAMES` are read. */
  #entries(): readonly Dirent[] {
    using directory = opendirSync(this.#directory, { bufferSize: NAMES_AT_ONCE });
    const entries: Dirent[] = [];
    while (entries.length < MOST_NAMES) {
      const entry = directory.readSync();
      if (entry === null) break;
      entries.push(entry);
    }
    return entries;
  }

  /** The writer is not trusted: only a regular file of a plausible size is read. */
  read(name: string): ReportText {
    let fd: number | null = null;
    try {
      fd = openSync(join(this.#directory, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const file = fstatSync(fd);
      if (!file.isFile() || file.size > MOST_BYTES)
        return { ok: false, reason: "It is not a file of a report's size." };
      const bytes = Buffer.alloc(file.size);
      return { ok: true, text: bytes.toString("utf8", 0, readSync(fd, bytes, 0, file.size, 0)) };
    } catch (error) {
      return { ok: false, reason: messageOf(error) };
    } finally {
      if (fd !== null) closeSync(fd);
    }
  }

  remove(name: string): void {
    try {
      unlinkSync(join(this.#directory, name));
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
}
