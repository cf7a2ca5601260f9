import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/** An empty directory, by its real path. Removed with the test, suite or file that asks for it; not for a `beforeEach`. */
export function temporaryDirectory(within: string = tmpdir()): string {
  const path = realpathSync(mkdtempSync(join(within, "ghostinbox-test-")));
  after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The user who runs the tests, as owner of a file. */
export const OURSELVES = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
