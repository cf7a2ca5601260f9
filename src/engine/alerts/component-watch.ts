import type { Holding } from "../../core/alerts/alerts.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { ComponentHealth } from "../../wire/control/items.ts";
import type { Clock } from "../ports.ts";

/** A restart, wanted or not, takes a few seconds and is nobody's concern. */
const PATIENCE_MS = 8 * SECOND_MS;
const LOOK_EVERY_MS = 4 * SECOND_MS;

/** Which parts of the server have not run for a while. */
export class ComponentWatch {
  readonly #components: () => Promise<readonly ComponentHealth[]>;
  readonly #clock: Clock;
  /** Since when each is down, and what is said of it. */
  #down = new Map<string, Readonly<{ since: number; detail: string }>>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(components: () => Promise<readonly ComponentHealth[]>, clock: Clock) {
    this.#components = components;
    this.#clock = clock;
  }

  /** To be called every second or so. Never rejects. */
  async look(): Promise<void> {
    const asked = this.#clock.now();
    if (Math.abs(asked - this.#lookedAt) < LOOK_EVERY_MS) return;
    this.#lookedAt = asked;
    const components = await this.#components().catch(() => []);
    const down = components.filter(({ status }) => status === "down");
    this.#down = new Map(
      down.map(({ name, detail }) => [name, { since: this.#down.get(name)?.since ?? asked, detail }]),
    );
  }

  holding(): readonly Holding[] {
    const now = this.#clock.now();
    const long = [...this.#down].filter(([, { since }]) => now - since >= PATIENCE_MS);
    return long.map(([name, { detail }]) =>
      // The notice of that name is the same alert.
      name === "keeper"
        ? { code: "keeper_unreachable", subject: "", detail }
        : { code: "component_down", subject: name, detail: `${name}: ${detail}` },
    );
  }
}
