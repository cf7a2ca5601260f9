import assert from "node:assert/strict";
import { existsSync, globSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

const RESTORE = /main\.ts backup restore/;
const KEYS = "/run/ghostinbox-keys.*";

/** Entries next to the data directory that start with its name. */
export function besideData({ layout: { data } }: Product): readonly string[] {
  return readdirSync(dirname(data)).filter((name) => name.startsWith(`${basename(data)}.`));
}

/** Ends a restore of the whole server while restic writes: by SIGTERM, which must leave nothing behind, and by SIGKILL. */
export async function endedRestores(product: Product, argv: readonly string[]): Promise<void> {
  const half = `${product.layout.data}.restoring`;
  const endBy = restoreEnder(product, argv, () => existsSync(join(half, "mail")));
  assert.match(await endBy("SIGTERM"), /^Interrupted: nothing was restored\.$/m);
  assert.deepEqual(besideData(product), []);
  await endBy("SIGKILL");
  await until("nothing of it runs", () => product.pidsOf(/restic/).length === 0);
  assert.deepEqual(besideData(product).toSorted(), ["data.restoring", "data.restoring-lock"]);
}

/** Ends a restore of encrypted mail once the private keys are in memory, and waits until they are gone. */
export async function endedWithKeys(product: Product, argv: readonly string[]): Promise<void> {
  const endBy = restoreEnder(product, argv, () => globSync(KEYS).length > 0);
  const told = await endBy("SIGTERM");
  assert.match(told, /^Interrupted: (?:a part of the mails may be in the folder|nothing was restored)/m);
  assert.deepEqual(globSync(KEYS), []);
  await endBy("SIGKILL");
  await until("the keeper has removed them", () => globSync(KEYS).length === 0);
}

/** Returns a function that starts a restore, ends it by a signal while it writes, and returns its standard error. */
const restoreEnder =
  (product: Product, argv: readonly string[], writes: () => boolean) =>
  async (signal: "SIGTERM" | "SIGKILL"): Promise<string> => {
    const ending = product.cli(argv);
    const pid = await until("it runs", () => product.pidsOf(RESTORE)[0]);
    // Pauses for one turn of the event loop only: the restore may soon be over.
    while (!writes() && existsSync(`/proc/${pid}`)) await new Promise((resolve) => setImmediate(resolve));
    process.kill(pid, signal);
    const { code, stderr } = await ending;
    assert.notEqual(code, 0, `it had ended before ${signal}`);
    return stderr;
  };
