import type { ComponentHealth } from "../../admin/declare/items.ts";
import type { Holding } from "../../core/alerts/alerts.ts";
import { messageOf, reportOnce } from "../../core/error.ts";
import { unlessRunning } from "../../core/one-after-another.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Clock, Log } from "../ports.ts";
import { FAILURES_REPORTED } from "./outbox.ts";
import type { Watcher } from "./ports.ts";

/** A restart takes a few seconds, and is not worth an alert. */
const PATIENCE_MS = 8 * SECOND_MS;
const LOOK_EVERY_MS = 4 * SECOND_MS;

/** When a part went down, the last check that found it down, the detail for the owner, and whether that was the latest check. */
type Down = Readonly<{ since: number; seenAt: number; detail: string; isSeen: boolean }>;

/** The parts of the server that have been down for a while. */
export function watchComponents(ask: () => Promise<readonly ComponentHealth[]>, clock: Clock, log: Log) {
  const report = reportOnce((why) => log.error("The parts of the server cannot be checked; retrying.", { why }));
  let down: ReadonlyMap<string, Down> = new Map();
  let lookedAt = Number.NEGATIVE_INFINITY;
  return {
    /** Call it about every second. Never rejects. */
    look: unlessRunning(async () => {
      const asked = clock.now();
      if (Math.abs(asked - lookedAt) < LOOK_EVERY_MS) return;
      lookedAt = asked;
      let failure: string | null = null;
      const components = await ask().catch((error: unknown) => {
        failure = messageOf(error);
        return [];
      });
      report(failure);
      const found = new Map<string, Down>();
      const isAnswered = components.some(({ name, status }) => name === "keeper" && status !== "down");
      // A missing answer from a busy keeper does not mean that a part is up again.
      for (const [name, before] of down)
        if (!isAnswered && components.every((one) => one.name !== name)) found.set(name, { ...before, isSeen: false });
      for (const { name, status, detail } of components)
        if (status === "down")
          found.set(name, { since: down.get(name)?.since ?? asked, seenAt: asked, detail, isSeen: true });
      down = found;
    }),
    holding: (): readonly Holding[] => {
      const now = clock.now();
      // `since` lies in the future if the clock was set back in between.
      const forMs = ({ since, seenAt, isSeen }: Down): number => Math.abs((isSeen ? now : seenAt) - since);
      const long = [...down].filter(([, one]) => forMs(one) >= PATIENCE_MS);
      return long.map(([name, { detail }]) =>
        // Shares the alert of the notice `keeper_unreachable`.
        name === "keeper"
          ? { code: "keeper_unreachable", subject: "", detail }
          : { code: "component_down", subject: name, detail: `${name}: ${detail}` },
      );
    },
  };
}

type HeartbeatParts = Readonly<{ isWell: () => boolean; clock: Clock; log: Log }>;

/** Notifies an outside watcher while the server is healthy. Silence is the alarm. */
export function createHeartbeat({ isWell, clock, log }: HeartbeatParts) {
  let at = Number.NEGATIVE_INFINITY;
  let asked: string | null = null;
  let failures = 0;
  let why = "";
  return {
    /** Call it about every second. */
    round: async (watcher: Omit<Watcher, "failing"> | null, everyMs: number): Promise<void> => {
      const now = clock.now();
      // Failures of an earlier address say nothing about a new one, which is notified at once.
      if (asked !== (watcher?.name ?? null))
        [asked, at, failures] = [watcher?.name ?? null, Number.NEGATIVE_INFINITY, 0];
      if (watcher === null || Math.abs(now - at) < everyMs || !isWell()) return;
      at = now;
      const outcome = await watcher.send();
      if (asked !== watcher.name) return;
      failures = outcome.ok ? 0 : failures + 1;
      if (outcome.ok) return;
      why = outcome.reason;
      if (failures === 1) log.warn("The watcher of the heartbeat does not answer.", { why });
    },
    failing: (name: string): string | null => (name !== asked || failures < FAILURES_REPORTED ? null : why),
  };
}
