import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";
import { type Layout, layoutOf } from "../../src/settings/layout.ts";

/** An empty directory, by its real path. Removed with the test, suite or file that asks for it; not for a `beforeEach`. */
export function temporaryDirectory(within: string = tmpdir()): string {
  const path = realpathSync(mkdtempSync(join(within, "ghostinbox-test-")));
  after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

type FileOf = { [Name in keyof Layout]: Layout[Name] extends string ? Name : never }[keyof Layout];

/** The layout of a new data directory, which has the directories of these files. */
export function temporaryLayout(...files: readonly FileOf[]): Layout {
  const layout = layoutOf(temporaryDirectory());
  for (const file of files) mkdirSync(dirname(layout[file]), { recursive: true });
  return layout;
}

/** The user who runs the tests, as owner of a file. */
export const OURSELVES = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
