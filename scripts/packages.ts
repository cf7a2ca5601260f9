import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** Where scripts/test installs packages at the same time, it writes this to a pipe once they are there; if that fails, nothing. */
const READY = "ready\n";
const PIPE = "TEST_PACKAGES_FD";
/** What asks whether something is installed (test/kit/needs.ts), or runs programs. */
const LOOKS =
  /kit\/(needs|own-etc|own-certificate|mail-queue|test-guard|speaker)\.ts"|"node:child_process"|runProgram\(/;

/** Whether the packages that tests take have come. At once where none are being installed. */
export async function packagesThere(): Promise<boolean> {
  const fd = process.env[PIPE];
  // What is started from here on has nothing to wait for.
  delete process.env[PIPE];
  return fd === undefined || (await readFile(`/dev/fd/${fd}`, "utf8")) === READY;
}

/** Of a unit test: whether what it does depends on packages. */
export function takesPackages(file: string): boolean {
  return LOOKS.test(readFileSync(file, "utf8"));
}
