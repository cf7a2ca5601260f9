import { fileURLToPath } from "node:url";
import { mustRun } from "../test/lab/commands.ts";
import { LOAD_CPU, pinned } from "./cpus.ts";
import type { LoadPlan, LoadResult } from "./policy-request.ts";

const PROGRAM = fileURLToPath(new URL("load.ts", import.meta.url));

/** Runs the load in a process of its own, on a core of its own. */
export async function load(plan: LoadPlan): Promise<LoadResult> {
  const argv = pinned(LOAD_CPU, [process.execPath, "--max-semi-space-size=16", PROGRAM, JSON.stringify(plan)]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this repository's
  return JSON.parse(await mustRun(argv, { deadlineMs: 300_000 })) as LoadResult;
}
