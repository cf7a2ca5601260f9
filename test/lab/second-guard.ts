import assert from "node:assert/strict";
import { existsSync, globSync } from "node:fs";
import { mustRun } from "./commands.ts";
import { parentOf, textOf } from "./component-memory.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

/** The process of a guard with this product's paths that runs in another network namespace; null if there is none. */
export function secondGuard(product: Product): number | null {
  const own = product.pidsOf(/guard\.js/);
  const all = globSync("/proc/[0-9]*/cmdline")
    .filter((path) => textOf(path).endsWith(`${product.layout.program}/guard.js\0`))
    .map((path) => Number(path.split("/")[2]));
  // A program that a guard starts has the guard's command line for a moment.
  const isStarting = (pid: number): boolean => [...own, ...all].includes(parentOf(pid));
  return all.find((pid) => !own.includes(pid) && !isStarting(pid)) ?? null;
}

/** Kills a restore drill (SIGKILL) while its second server runs, which must end, too. */
export async function killedDrill(product: Product, deadlineMs: number): Promise<void> {
  const killed = product.cli(["backup", "drill"], { deadlineMs });
  const guard = await until("the second server's guard runs", () => secondGuard(product), deadlineMs);
  const links = await mustRun(["nsenter", "--target", String(guard), "--net", "ip", "-br", "link"]);
  assert.match(links.trim(), /^lo\s[^\n]*$/, "it has no network but loopback");
  await product.kill(/main\.ts backup drill/);
  assert.notEqual((await killed).code, 0);
  await until("nothing of it runs", () => secondGuard(product) === null && !existsSync(`/proc/${guard}`));
}
