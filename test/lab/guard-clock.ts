import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MINUTE_MS } from "../../src/core/time.ts";
import { ClockLibrary } from "./machine-clock.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

/**
 * The guard's wall clock, which the test moves forward while the guard runs, as if the machine had slept: such a
 * change is followed at once, and no time-out has passed.
 */
export class GuardClock {
  readonly #library = new ClockLibrary();
  #aheadMs = 0;

  /** Restarts the guard. */
  static async of(product: Product): Promise<GuardClock> {
    const { node, services } = product.layout;
    const clock = new GuardClock();
    await clock.#library.build();
    const run = join(services, "guard", "run");
    const moved = `env LD_PRELOAD=${clock.#library.path} ${node} `;
    writeFileSync(run, readFileSync(run, "utf8").replace(new RegExp(`${node} (?=.*/guard\\.js$)`, "m"), moved));
    await product.sv("restart", "guard");
    await until("the guard is back", () => product.guardAnswers());
    return clock;
  }

  get now(): number {
    return Date.now() + this.#aheadMs;
  }

  forward(byMs: number): void {
    this.#aheadMs += byMs;
    this.#library.set({ wallMs: this.#aheadMs, sleptMs: this.#aheadMs });
  }

  forwardMinutes(minutes: number): void {
    this.forward(minutes * MINUTE_MS);
  }
}
