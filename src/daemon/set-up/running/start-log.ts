import { statSync } from "node:fs";
import { appendFile, truncateFile } from "../../../adapters/root-files/files.ts";

/** A start writes a few lines; this many bytes are enough for years. */
const MOST_BYTES = 256 * 1024;
const CLEAR_LINE = "\r\x1b[K";

/** The messages of the start: on its terminal, and in a log, where they can be read when the terminal is gone. */
export class StartLog {
  /** Whether the terminal is gone. */
  isOnly = false;
  #file: string | null = null;
  #hasProgress = false;

  /** From now on also to this file, unless its directory is still missing. */
  open(file: string): void {
    this.#file = file;
    attempt(() => {
      if (statSync(file).size > MOST_BYTES) truncateFile(file, 0);
    });
  }

  /** A progress message: first a normal line, then updates of the same terminal line. */
  progress(text: string): void {
    if (!this.#hasProgress) this.note(text);
    if (process.stdout.isTTY) process.stdout.write(`${CLEAR_LINE}${text}`);
    else if (!this.#hasProgress) console.log(text);
    this.#hasProgress = true;
  }

  /** Ends the progress line. */
  endProgress(): void {
    if (this.#hasProgress && process.stdout.isTTY) process.stdout.write("\n");
    this.#hasProgress = false;
  }

  say(text: string): void {
    console.log(text);
    this.note(text);
  }

  warn(text: string): void {
    console.error(`ghostinbox: warning: ${text}`);
    this.note(`warning: ${text}`);
  }

  fail(text: string): void {
    console.error(`ghostinbox: ${text}`);
    this.note(`${FAILED}${text}`);
  }

  /**
   * Notes why a start ended after Ctrl-C. That also ends the programs that set-up runs, so their unfinished work is not a failure. But it
   * may be why it was pressed, so the file has it.
   */
  stopped(text: string): void {
    this.note(`stopped before everything ran: ${text}`);
  }

  /** Writes only to the file. Its lines start like those of svlogd(8) with -tt. */
  note(text: string): void {
    const file = this.#file;
    if (file === null) return;
    const at = new Date().toISOString().slice(0, -1).replace("T", "_");
    const lines = text.split("\n").map((line) => `${at} ${line}\n`);
    attempt(() => appendFile(file, lines.join("")));
  }
}

/** Precedes the reason for which a start ended. */
const FAILED = "failed: ";

/** The last reason in the text of such a log for which a start ended; null if there is none. */
export function lastFailure(log: string): string | null {
  const line = log.split("\n").findLast((text) => text.slice(text.indexOf(" ") + 1).startsWith(FAILED));
  return line?.slice(line.indexOf(FAILED) + FAILED.length) ?? null;
}

/** A full disk does not stop a server. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // It was printed on the terminal.
  }
}
