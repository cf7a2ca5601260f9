import { type Holding, SIGNS_OF_THEFT } from "../../core/alerts/alerts.ts";
import {
  type AlertEvent,
  accountRules,
  type EventRule,
  eventRules,
  LONGEST_WINDOW_MS,
  type Thresholds,
} from "../../core/alerts/rules.ts";
import { BoundedMap } from "../../core/bounded-map.ts";
import { withoutExtension } from "../../core/net/address.ts";
import { formatDuration, type Millis } from "../../core/time.ts";
import { accountWindow, sendingWindow } from "./account-windows.ts";
import { type AlertWindow, timedConditions } from "./alert-window.ts";
import { changeWindow, factorWindow } from "./change-windows.ts";
import { guessWindow, hitWindow } from "./guess-windows.ts";
import type { Alert } from "./ports.ts";

const MOST_NAMED = 3;
/** Maximum addresses with a separate alert. Further addresses share one, to leave room for other alerts. */
const MOST_ADDRESSES = 20;

/**
 * Counts recent events. The result depends only on committed events, so reading them again after a restart gives the
 * same. Bounded: each rule remembers no more than its threshold. `mailedTo`: the addresses that get alerts.
 */
export function alertWindows(thresholds: Thresholds, mailedTo: readonly string[] = []) {
  const lasting = timedConditions(LONGEST_WINDOW_MS);
  const all: readonly AlertWindow[] = [
    ...eventRules.map((rule) => ruleWindow(rule, thresholds[rule.code])),
    lostMailWindow(mailedTo),
    ...accountRules.map(accountWindow),
    sendingWindow(),
    changeWindow(),
    factorWindow(),
    guessWindow(thresholds.password_guessed),
    hitWindow(),
  ];
  return {
    /** Events in the order of their ids. */
    take: (event: AlertEvent): void => {
      for (const window of all) window.take(event);
    },
    remember: (open: readonly Alert[]): void => {
      for (const { code, subject, detail, openedAt } of open) {
        if (SIGNS_OF_THEFT.includes(code)) lasting.set({ code, subject, detail }, openedAt);
        for (const window of all) window.remember?.({ code, subject, detail }, openedAt);
      }
    },
    // The windows come last, because they have the latest details.
    holding: (now: Millis): readonly Holding[] => [
      ...lasting.holding(now),
      ...all.flatMap((window) => window.holding(now)),
    ],
  };
}

function ruleWindow({ code, windowMs, counted, matches, distinct = false }: EventRule, threshold: number): AlertWindow {
  /** Ascending by time: an entry that is seen again moves to the end. */
  const seen = new BoundedMap<string | number, Readonly<{ at: Millis; name: string }>>(threshold);
  return {
    take: (event) => {
      if (!matches(event)) return;
      const name = event.prefix ?? event.account ?? "";
      seen.set(distinct ? name : event.id, { at: event.at, name });
    },
    holding: (now) => {
      for (const [key, { at }] of seen) {
        // After a clock was set back, nothing counts forever.
        if (Math.abs(now - at) < windowMs) break;
        seen.delete(key);
      }
      if (seen.size < threshold) return [];
      const named = mostFrequent([...seen].map(([, { name }]) => name));
      const from = named.length === 0 ? "" : `, from ${named.join(", ")}${distinct ? " and others" : ""}`;
      const detail = `${threshold} or more ${counted} within ${formatDuration(windowMs)}${from}`;
      return [{ code, subject: "", detail }];
    },
  };
}

const FAILED = {
  alerts: "alerts go there, and a delivery failed permanently",
  others: "a delivery failed permanently",
} as const;

/**
 * Mail that was accepted here and then lost, or not delivered to an address that gets alerts, in which case alerts may not arrive either.
 * Each address has its own alert, so that one that loses mail every day does not hide others.
 */
function lostMailWindow(mailedTo: readonly string[]): AlertWindow {
  const alerted = mailedTo.map((address) => address.toLowerCase());
  const found = timedConditions(LONGEST_WINDOW_MS);
  return {
    take: ({ type, verdict, subject, at }) => {
      const ofAlerts = alerted.includes((subject ?? "").toLowerCase());
      const hasFailed = type === "EMAIL_BOUNCED" && (verdict === "lose" || ofAlerts);
      if (!hasFailed && type !== "BOUNCE_WITHHELD") return;
      const all = found.holding(at).map((one) => one.subject);
      const of = withoutExtension(subject ?? "").toLowerCase();
      const hasRoom = all.includes(of) || all.length < MOST_ADDRESSES;
      const detail = hasFailed ? FAILED[ofAlerts ? "alerts" : "others"] : "a report about mail was withheld";
      found.set({ code: "mail_undelivered", subject: hasRoom ? of : "further addresses", detail }, at);
    },
    holding: found.holding,
  };
}

function mostFrequent(names: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== "") counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MOST_NAMED)
    .map(([name]) => name);
}
