import type { Ip } from "../net/ip.ts";
import { printable } from "../text.ts";
import { isoTime, type Millis } from "../time.ts";
import { stored } from "./columns.ts";
import type { DecidedKind } from "./kind.ts";
import type { Reason } from "./reasons.ts";
import type { Seen } from "./seen.ts";

/**
 * A line that a jail matched. `about`: a sign-in that failed, a refusal in the guard's own words, or something that
 * only the log tells. `at`: to the second.
 */
export type JailLine = Readonly<{ text: string; at: Millis; about: "login" | "refusal" | "log" }>;

/** A jail of Fail2ban found as many offences of one address in a log as it takes. */
export type JailReported = Readonly<{
  type: "JAIL_REPORTED";
  ip: Ip;
  jail: string;
  /** Offences that it counted: at least `limit` within `windowMs`. */
  failures: number;
  limit: number;
  windowMs: number;
  /** How long the jail wants a first ban to be. */
  banMs: number;
  /** When the last of its lines was written; logs tell whole seconds. */
  lastAt: Millis;
  /** The client's host name where its lines tell one; forward-confirmed by Postfix. */
  clientName: string | null;
  /** Lines that it matched, the last ones. */
  lines: readonly JailLine[];
}>;

export type ReportRest = Readonly<{
  event: "JAIL_REPORTED";
  jail: string;
  failures: number;
  limit: number;
  windowMs: number;
  banMs: number;
  lastAt: Millis;
  clientName?: string | undefined;
  /** Of those that are not shown, the text is empty. */
  lines: readonly JailLine[];
  seen?: Seen | undefined;
}>;

/** Of a log, as evidence. */
const LONGEST_LINE = 240;
const MOST_SHOWN = 5;
/** What a cut shows of a longer line is the same for this and for all of it. */
const KEPT_OF_LINE = LONGEST_LINE + 1;

export const report: DecidedKind<JailReported, ReportRest> = {
  name: (_, { reason }) => (isSpared(reason) ? "SPARED" : "JAIL_REPORTED"),
  window: () => null,
  account: () => null,
  columns: () => ({}),
  rest: ({ type, jail, failures, limit, windowMs, banMs, lastAt, clientName, lines }, seen) => ({
    event: type,
    jail,
    failures,
    limit,
    windowMs,
    banMs,
    lastAt,
    clientName: clientName === null ? undefined : stored(clientName),
    lines: lines.map(({ text, at, about }, i) => ({
      text: i < lines.length - MOST_SHOWN ? "" : text.slice(0, KEPT_OF_LINE),
      at,
      about,
    })),
    seen,
  }),
  sentence: ({ verdict, reason }, { jail, failures, lastAt, lines }) => ({
    details:
      `jail ${jail}: ${failures} offences, the last at ${isoTime(lastAt)}` +
      lines
        .slice(-MOST_SHOWN)
        .map(({ text }) => ` | ${printable(text, LONGEST_LINE)}`)
        .join(""),
    action: verdict === "refuse" ? "banned" : isSpared(reason) ? "spared" : "attached",
  }),
  event: ({ ip }, { event: type, jail, failures, limit, windowMs, banMs, lastAt, clientName = null, lines }) =>
    ip === null ? null : { type, ip, jail, failures, limit, windowMs, banMs, lastAt, clientName, lines },
};

const REPORTED: readonly Reason[] = ["jail_report", "judged_live", "banned", "report_seen", "report_late"];

/** Not banned although a jail reported it, and for another reason than that it had been judged already, or came too late. */
function isSpared(reason: Reason | null): boolean {
  return reason !== null && !REPORTED.includes(reason);
}
