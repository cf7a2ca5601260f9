import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

/** Runs the first start repeatedly, and ends it (Ctrl-C, SIGTERM) each time one file later. */
export async function stopFirstStarts(product: Product): Promise<void> {
  const { layout } = product;
  const moments = [
    ["SIGTERM", layout.tlsKey],
    ["SIGINT", layout.engineDb],
    // Postfix checks the configuration, and is ended too.
    ["SIGINT", `${layout.postfixConf}.staged`],
  ] as const;
  for (const [signal, file] of moments) {
    let hasEnded = false;
    const ending = product.startInVain().finally(() => (hasEnded = true));
    await until(`${file} is there`, () => existsSync(file) || hasEnded);
    await product.stop(signal);
    await ending;
    assert.doesNotMatch(product.output, /^ghostinbox: | {4}at /m, `stopped at ${file}: no failure, no stack trace`);
    assert.deepEqual(product.processes(), []);
  }
}
