import assert from "node:assert/strict";
import type { Holding } from "../../src/core/alerts/alerts.ts";
import type { AlertEvent } from "../../src/core/alerts/rules.ts";
import type { Millis } from "../../src/core/time.ts";
import { type AlertSettings, Alerts } from "../../src/guard/alerts/alerts.ts";
import { watchComponents } from "../../src/guard/alerts/health-watch.ts";
import type { AlertMessage, AlertState } from "../../src/guard/alerts/ports.ts";
import type { Outcome } from "../../src/guard/ports.ts";
import { NO_FIELDS, THRESHOLDS } from "./alert-windows-kit.ts";
import { HandClock, NoticeBoard, SILENT } from "./engine-kit.ts";

export const SETTINGS: Omit<AlertSettings, "channels"> = {
  thresholds: THRESHOLDS,
  mailedTo: [],
  volume: { minimum: 50, factor: 5 },
  settleMs: 60_000,
  schedule: { quiet: null, timeZone: "UTC", digestMs: 0 },
  language: "en",
  watcher: null,
};

/** Alerts with events from the test, a store that it can break, and channels that answer as it says. */
export function alertsKit(kept: AlertState = { alerts: [], deliveries: [] }) {
  const clock = new HandClock();
  const notices = new NoticeBoard();
  const logged: string[] = [];
  const sent: string[] = [];
  const saved: AlertState[] = [];
  const steps: (readonly [after: number, upTo: number])[] = [];
  const seen: AlertEvent[] = [];
  const held: Holding[] = [];
  const state = {
    last: 0,
    unreadable: false,
    readableTo: Infinity,
    unwritable: false,
    asked: 0,
    ids: (_since: Millis): number => 1,
  };
  const answers = new Map<string, Outcome | Promise<Outcome>>();
  const channel = (name: string) => ({
    name,
    send: ({ kind, code, subject }: AlertMessage) => {
      sent.push(`${name}: ${kind} ${code ?? ""} ${subject}`.trim());
      return Promise.resolve(answers.get(name) ?? ({ ok: true } as const));
    },
  });
  const components = () => (state.asked++, Promise.resolve([]));
  const log =
    (level: string) =>
    (message: string, details: object = {}): void =>
      void logged.push(`${level} ${message} ${JSON.stringify(details)}`);
  const alerts = new Alerts(
    {
      events: {
        last: () => (state.unreadable ? assert.fail("disk I/O error") : state.last),
        firstSince: (at) => state.ids(at),
        between: (after, upTo) => {
          steps.push([after, upTo]);
          if (upTo > state.readableTo) assert.fail("disk I/O error");
          return seen.filter(({ id }) => id > after && id <= upTo);
        },
      },
      store: { load: () => kept, save: (now) => void (state.unwritable ? assert.fail("disk full") : saved.push(now)) },
      notices,
      components: Object.assign(watchComponents(components, clock, SILENT), { holding: () => held }),
      clock,
      log: { info: log("info"), warn: log("warn"), error: log("error") },
    },
    { ...SETTINGS, channels: [channel("a")] },
  );
  return {
    alerts,
    clock,
    notices,
    logged,
    saved,
    steps,
    state,
    held,
    answers,
    use: (settings: Partial<typeof SETTINGS>, ...channels: readonly string[]) =>
      alerts.configure({ ...SETTINGS, ...settings, channels: channels.map(channel) }),
    seen,
    failures: (count: number): void => {
      for (let i = 0; i < count; i++)
        seen.push({ ...NO_FIELDS, type: "LOGIN_FAILED", ...SIGN_IN, id: ++state.last, at: clock.now() });
    },
    seconds: async (count: number): Promise<readonly string[]> => {
      for (let i = 0; i < count; i++) {
        await alerts.round();
        await alerts.stop();
        clock.advance(1_000);
      }
      return sent.splice(0);
    },
  };
}

const SIGN_IN = { account: "anna@example.test", proof: "a", verdict: "pass", service: "imap" } as const;
