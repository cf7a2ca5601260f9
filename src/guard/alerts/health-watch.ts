import type { ComponentHealth } from "../../admin/declare/items.ts";
import type { Holding } from "../../core/alerts/alerts.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Clock, Log, Outcome } from "../ports.ts";

/** A restart takes a few seconds, and is not worth an alert. */
const PATIENCE_MS = 8 * SECOND_MS;
const LOOK_EVERY_MS = 4 * SECOND_MS;

/** When a part went down, the last check that found it down, the detail for the owner, and whether that was the latest check. */
type Down = Readonly<{ since: number; seenAt: number; detail: string; isSeen: boolean }>;

/** The parts of the server that have been down for a while. */
export class ComponentWatch {
  readonly #components: () => Promise<readonly ComponentHealth[]>;
  readonly #clock: Clock;
  #down: ReadonlyMap<string, Down> = new Map();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking = false;

  constructor(components: () => Promise<readonly ComponentHealth[]>, clock: Clock) {
    this.#components = components;
    this.#clock = clock;
  }

  /** Call it about every second. Never rejects. */
  async look(): Promise<void> {
    const asked = this.#clock.now();
    if (this.#looking || Math.abs(asked - this.#lookedAt) < LOOK_EVERY_MS) return;
    this.#lookedAt = asked;
    this.#looking = true;
    const components = await this.#components()
      .catch(() => [])
      .finally(() => {
        this.#looking = false;
      });
    const down = new Map<string, Down>();
    const isAnswered = components.some(({ name, status }) => name === "keeper" && status !== "down");
    // A missing answer from a busy keeper does not mean that a part is up again.
    for (const [name, before] of this.#down)
      if (!isAnswered && components.every((one) => one.name !== name)) down.set(name, { ...before, isSeen: false });
    for (const { name, status, detail } of components)
      if (status === "down")
        down.set(name, { since: this.#down.get(name)?.since ?? asked, seenAt: asked, detail, isSeen: true });
    this.#down = down;
  }

  holding(): readonly Holding[] {
    const now = this.#clock.now();
    const long = [...this.#down].filter(
      ([, { since, seenAt, isSeen }]) => (isSeen ? now : seenAt) - since >= PATIENCE_MS,
    );
    return long.map(([name, { detail }]) =>
      // The notice with that name opens the same alert.
      name === "keeper"
        ? { code: "keeper_unreachable", subject: "", detail }
        : { code: "component_down", subject: name, detail: `${name}: ${detail}` },
    );
  }
}

type HeartbeatParts = Readonly<{
  ping: () => Promise<Outcome>;
  /** Whether the server is healthy. */
  isWell: () => boolean;
  clock: Clock;
  log: Log;
}>;

/** Notifies an outside watcher while the server is healthy. Silence is the alarm. */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  #at = Number.NEGATIVE_INFINITY;
  #failing = false;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
  }

  /** Call it about every second. `everyMs` null: no watcher is set. */
  async round(everyMs: number | null): Promise<void> {
    const { ping, isWell, clock, log } = this.#parts;
    const now = clock.now();
    if (everyMs === null || Math.abs(now - this.#at) < everyMs || !isWell()) return;
    this.#at = now;
    const outcome = await ping();
    if (!outcome.ok && !this.#failing)
      log.warn("The watcher of the heartbeat does not answer.", { why: outcome.reason });
    this.#failing = !outcome.ok;
  }
}
