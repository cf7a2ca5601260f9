import { openSync, readFileSync, readSync } from "node:fs";
import { readOr } from "../../core/error.ts";
import { Descriptor } from "../root-files/directory.ts";

/** The text of a file of the kernel or of a program that may be gone; empty if it cannot be read. */
export function textOrNothing(path: string): string {
  return readOr(() => readFileSync(path, "utf8"), "");
}

/** The arguments and the environment of our programs are shorter. */
const MOST_BYTES = 65_536;

/** The same, up to `MOST_BYTES`: any user decides how long the arguments of a process are, even gigabytes (prctl(2), PR_SET_MM_MAP). */
export function beginOrNothing(path: string): string {
  return readOr(() => {
    using opened = new Descriptor(openSync(path, "r"));
    const bytes = Buffer.allocUnsafe(MOST_BYTES);
    return bytes.toString("utf8", 0, readSync(opened.fd, bytes));
  }, "");
}
