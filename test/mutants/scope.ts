import { globSync } from "node:fs";

/**
 * The code that decides, enforces, records or reports: all of the core and the guard. Files with only text
 * (reasons, notices) have nothing to mutate.
 */
export function sourcesIn(root: string): readonly string[] {
  return globSync("src/{core,guard}/**/*.ts", { cwd: root })
    .filter((path) => !path.endsWith(".test.ts"))
    .toSorted();
}

/** The tests that may notice a mutant: unit tests and scenarios. Those of jobs, surfaces and programs take too long. */
export function testsIn(root: string): readonly string[] {
  return globSync(["src/**/*.test.ts", "test/scenarios/*.test.ts"], { cwd: root })
    .filter((path) => !/^src\/(jobs|surfaces|programs)\//.test(path))
    .toSorted();
}
