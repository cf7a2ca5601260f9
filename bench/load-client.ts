import { fileURLToPath } from "node:url";
import { mustRun } from "../test/lab/commands.ts";
import type { ApiPlan, Asked } from "./api-plan.ts";
import { LOAD_CPU, pinned } from "./cpus.ts";
import type { LoadPlan, LoadResult } from "./policy-request.ts";

type Inside = (argv: readonly string[]) => readonly string[];

export async function load(plan: LoadPlan): Promise<LoadResult> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this repository's
  return (await run("load.ts", plan, (argv) => argv)) as LoadResult;
}

/** In the network of the server that is asked. */
export async function askApi(plan: ApiPlan, inside: Inside): Promise<readonly Asked[]> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this repository's
  return (await run("api-load.ts", plan, inside)) as readonly Asked[];
}

/** In a separate process, on a separate core. Its output. */
async function run(program: string, plan: LoadPlan | ApiPlan, inside: Inside): Promise<unknown> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const argv = pinned(LOAD_CPU, [process.execPath, "--max-semi-space-size=16", path, JSON.stringify(plan)]);
  return JSON.parse(await mustRun(inside(argv), { deadlineMs: 300_000 })) as unknown;
}
