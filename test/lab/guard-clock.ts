import assert from "node:assert/strict";
import { globSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MINUTE_MS } from "../../src/core/time.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

/** The guard's clock, which the test moves forward while the guard runs (faketime(1)). */
export class GuardClock {
  readonly #file: string;
  #aheadMs = 0;

  private constructor(file: string) {
    this.#file = file;
    this.forward(0);
  }

  /** Restarts the guard. */
  static async of(product: Product): Promise<GuardClock> {
    const { node, services } = product.layout;
    const clock = new GuardClock(join(product.lab.directory, "clock"));
    const [library = ""] = globSync("/usr/lib/*/faketime/libfaketime.so.1");
    assert.notEqual(library, "", "Debian's faketime is installed");
    const faked = `env LD_PRELOAD=${library} FAKETIME_TIMESTAMP_FILE=${clock.#file} FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 ${node} `;
    const run = join(services, "guard", "run");
    writeFileSync(run, readFileSync(run, "utf8").replace(`${node} `, faked));
    await product.lab.server.mustExec(["sv", "-w", "15", "restart", join(services, "guard")]);
    await until("the guard is back", async () => (await product.cli(["status"])).code === 0);
    return clock;
  }

  get now(): number {
    return Date.now() + this.#aheadMs;
  }

  forward(byMs: number): void {
    this.#aheadMs += byMs;
    // Whole at once: the guard reads it each time it asks what time it is.
    writeFileSync(`${this.#file}.new`, `+${this.#aheadMs / 1000}`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  forwardMinutes(minutes: number): void {
    this.forward(minutes * MINUTE_MS);
  }
}
