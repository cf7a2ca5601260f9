import { afterEach, beforeEach, type TestContext } from "node:test";

/**
 * Runs before each test of this file only (`import.meta.filename`). One process runs many files, and a
 * node:test hook outside `describe` would run for the tests of all of them.
 */
export function beforeEachOf(file: string, make: (t: TestContext) => unknown): void {
  beforeEach(async (t) => {
    // A test, not a suite.
    if (t.filePath === file && "after" in t) await make(t);
  });
}

/** Runs after each test of this file only. */
export function afterEachOf(file: string, end: () => unknown): void {
  afterEach(async (t) => {
    if (t.filePath === file) await end();
  });
}
