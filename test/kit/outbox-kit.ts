import type { Severity } from "../../src/core/alerts/alerts.ts";
import type { Schedule } from "../../src/core/alerts/schedule.ts";
import { AlertOutbox } from "../../src/guard/alerts/outbox.ts";
import type { AlertChannel, AlertMessage, Delivery } from "../../src/guard/alerts/ports.ts";
import { testMessage } from "../../src/guard/alerts/words.ts";
import { HandClock, SILENT } from "./engine-kit.ts";

export const AT_ONCE: Schedule = { quiet: null, timeZone: "UTC", digestMs: 0 };

type Given = Readonly<{ channels?: readonly string[]; brokenOnes?: readonly string[]; kept?: readonly Delivery[] }>;

/** Messages on their way to these channels. `kept`: deliveries from before a restart. */
export function outbox({ channels = ["a", "b"], brokenOnes = [], kept = [] }: Given = {}) {
  const clock = new HandClock(Date.UTC(2026, 0, 1, 12));
  const sent: string[] = [];
  const broken = new Set(brokenOnes);
  const waiting = new Set<string>();
  const warned: unknown[] = [];
  let changes = 0;
  const channel = (name: string): AlertChannel => ({
    name,
    send: (message) => {
      if (waiting.has(name)) return Promise.resolve({ ok: false, reason: "no one is there", waits: true });
      if (broken.has(name)) return Promise.resolve({ ok: false, reason: "it answered 503" });
      sent.push(`${name}: ${message.title}`);
      return Promise.resolve({ ok: true });
    },
  });
  const log = { ...SILENT, warn: (...what: readonly unknown[]) => void warned.push(what) };
  const box = new AlertOutbox(kept, { clock, log, changed: () => void changes++ });
  box.use(channels.map(channel));
  const message = (
    title: string,
    severity: Severity,
    subject = title,
    kind: AlertMessage["kind"] = "test",
  ): AlertMessage => ({
    ...testMessage(clock.now(), "en"),
    kind,
    title,
    severity,
    subject,
    code: "component_down",
  });
  return {
    clock,
    sent,
    broken,
    waiting,
    warned,
    box,
    channel,
    changes: () => changes,
    add: (schedule: Schedule, ...all: Parameters<typeof message>[]) =>
      box.add(
        all.map((one) => message(...one)),
        schedule,
      ),
    /** Runs rounds, as the guard does each second. */
    async rounds(schedule: Schedule, seconds = 3): Promise<readonly string[]> {
      for (let i = 0; i < seconds; i++) {
        box.round(schedule, "en");
        await box.settled();
        clock.advance(1_000);
      }
      return sent.splice(0);
    },
  };
}
