import type { AlertEvent, Thresholds } from "../../src/core/alerts/rules.ts";
import { row } from "../../src/core/events/columns.ts";
import { parsePrefix } from "../../src/core/net/ip.ts";
import { instant } from "../../src/core/time.ts";
import type { Alert } from "../../src/guard/alerts/ports.ts";
import { alertWindows } from "../../src/guard/alerts/windows.ts";
import { beforeEachOf } from "./hooks.ts";

export const THRESHOLDS: Thresholds = {
  failed_logins: 3,
  dashboard_logins: 2,
  spraying: 1,
  web_overreach: 1,
  password_guessed: 3,
  unusual_connections: 3,
  spam_volume: 3,
  many_bans: 2,
  repeated_violations: 2,
};

/** Fields of an event with nothing but a type. */
export const NO_FIELDS: Omit<AlertEvent, "id" | "at" | "type"> = {
  ...row({ at: instant(0), type: "CONNECT" }, {}),
  isNewPlace: false,
  isNewNetwork: false,
  isFirst: false,
  isKnownAccount: true,
  isCounted: true,
  subject: null,
};

/** Events one second apart, starting at the epoch. */
export function windows(thresholds: Partial<Thresholds> = {}, mailedTo: readonly string[] = []) {
  const start = () => alertWindows({ ...THRESHOLDS, ...thresholds }, mailedTo);
  let all = start();
  let id = 0;
  let now = 0;
  const take = (
    type: AlertEvent["type"],
    event: Partial<Omit<AlertEvent, "prefix">> & { from?: string } = {},
  ): void => {
    const { from, ...rest } = event;
    const prefix = from === undefined ? null : parsePrefix(from);
    now += 1_000;
    all.take({ ...NO_FIELDS, id: ++id, at: instant(now), type, prefix, ...rest });
  };
  const holding = () => all.holding(instant(now)).map(({ code, subject }) => `${code} ${subject}`.trim());
  return {
    take,
    remember: (open: readonly Alert[]): void => all.remember(open),
    wait: (ms: number) => (now += ms),
    holding,
    /** The alerts once this event has happened. */
    after: (...event: Parameters<typeof take>) => (take(...event), holding()),
    /** The alerts this much later. */
    afterMs: (ms: number) => ((now += ms), holding()),
    details: () => all.holding(instant(now)).map(({ detail }) => detail),
    startAgain: (): void => {
      all = start();
      id = 0;
      now = 0;
    },
  };
}

/** The same, started again before each test of `file`. */
export function windowsOf(file: string, thresholds: Partial<Thresholds> = {}) {
  const kit = windows(thresholds);
  beforeEachOf(file, () => kit.startAgain());
  return kit;
}
