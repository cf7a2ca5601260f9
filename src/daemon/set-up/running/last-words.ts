import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { type Layout, serviceLog } from "../../../settings/layout.ts";

/** Enough for the longest stack trace. */
const TAIL_BYTES = 16_384;

/** The last lines of a file that are not blank; none if it does not exist. */
export function tail(file: string, most: number): readonly string[] {
  if (!existsSync(file)) return [];
  return endOf(file)
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-most);
}

/**
 * The last log line of one of our programs, without the time that svlogd(8) adds; null if there is none. For a
 * crash of Node it is the error, not the line that ends its stack trace.
 */
export function lastWord(layout: Layout, service: string): string | null {
  const lines = tail(serviceLog(layout, service), 40).map((line) => line.replace(SVLOGD_TIME, ""));
  const crash = lines.at(-1)?.startsWith("Node.js v") === true ? lines.findLast((line) => ERROR.test(line)) : undefined;
  return crash ?? lines.at(-1) ?? null;
}

/** svlogd(8), `-tt`. */
const SVLOGD_TIME = /^\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\.\d+ /;
const ERROR = /^[A-Z]\w*(?:Error)?(?: \[\w+\])?: /;

function endOf(file: string): string {
  const fd = openSync(file, "r");
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const read = readSync(fd, bytes, 0, bytes.length, size - bytes.length);
    const text = bytes.toString("utf8", 0, read);
    // The first line may be truncated.
    return size > TAIL_BYTES ? text.slice(text.indexOf("\n") + 1) : text;
  } finally {
    closeSync(fd);
  }
}
