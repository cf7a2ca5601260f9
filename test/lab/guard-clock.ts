import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clockLibrary } from "./machine-clock.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

export type GuardClock = Awaited<ReturnType<typeof guardClock>>;

/**
 * The guard's wall clock, which the test moves forward while the guard runs, as if the machine had slept. The guard sees the
 * change at once, and no time-out passes. Restarts the guard.
 */
export async function guardClock(product: Product) {
  const { node, services } = product.layout;
  const library = clockLibrary();
  await library.build();
  const run = join(services, "guard", "run");
  const moved = `env LD_PRELOAD=${library.path} ${node} `;
  writeFileSync(run, readFileSync(run, "utf8").replace(new RegExp(`${node} (?=.*/guard\\.js$)`, "m"), moved));
  await product.sv("restart", "guard");
  await until("the guard is back", () => product.guardAnswers());
  let aheadMs = 0;
  return {
    forward: (byMs: number): void => {
      aheadMs += byMs;
      library.set(aheadMs, aheadMs);
    },
  };
}
