import { openSync, readFileSync, readSync } from "node:fs";
import { readOr } from "../../core/error.ts";
import { Descriptor } from "../root-files/directory.ts";

/** The text of a file of the kernel or of a program that may be gone; empty if it cannot be read. */
export function textOrNothing(path: string): string {
  return readOr(() => readFileSync(path, "utf8"), "");
}

/** More than the arguments and the environment of our programs. */
const MOST_BYTES = 65_536;

/** The first `MOST_BYTES` of such a file: a user can give a process gigabytes of arguments (prctl(2), PR_SET_MM_MAP). */
export function beginOrNothing(path: string): string {
  return readOr(() => {
    using opened = new Descriptor(openSync(path, "r"));
    const bytes = Buffer.allocUnsafe(MOST_BYTES);
    return bytes.toString("utf8", 0, readSync(opened.fd, bytes));
  }, "");
}
