import { isDetector } from "../decide/jails.ts";
import type { Ip } from "../net/ip.ts";
import { plural, printable } from "../text.ts";
import { isoTime, type Millis } from "../time.ts";
import { type DecidedKind, stored } from "./columns.ts";
import { isReason, PROTECTIONS, type Reason, reasons, smtpReplyOf } from "./reasons.ts";
import type { RestOf } from "./rest-schemas.ts";

/**
 * A line that a jail matched. `about`: a failed sign-in, a refusal in the guard's own words, or something that only the
 * log reports. `at`: to the second.
 */
export type JailLine = Readonly<{ text: string; at: Millis; about: "login" | "refusal" | "log" }>;

/** A jail of Fail2ban found its limit of offences by one address in a log, or an intrusion detector reported alerts. */
export type JailReported = Readonly<{
  type: "JAIL_REPORTED";
  ip: Ip;
  jail: string;
  /** Counted offences: at least `limit` within `windowMs`. */
  failures: number;
  limit: number;
  windowMs: number;
  /** How long the jail wants a first ban to be. */
  banMs: number;
  /** When its last line was written; logs have whole seconds. */
  lastAt: Millis;
  /** The client's host name if a line contains one; forward-confirmed by Postfix. */
  clientName: string | null;
  /** The last lines that it matched. */
  lines: readonly JailLine[];
}>;

/** For one line of evidence. */
const LONGEST_LINE = 240;
const MOST_SHOWN = 5;
/** One character more than is shown, so that a stored line still prints as truncated. */
const KEPT_OF_LINE = LONGEST_LINE + 1;

export const report: DecidedKind<JailReported, RestOf<"JAIL_REPORTED">> = {
  name: (_, { reason }) => (SPARED.includes(reason) ? "SPARED" : "JAIL_REPORTED"),
  window: () => null,
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
      `${isDetector(jail) ? "" : "jail "}${jail}: ${plural(failures, "offence")}, the last at ${isoTime(lastAt)}` +
      lines
        .slice(-MOST_SHOWN)
        .map(({ text }) => ` | ${printable(text, LONGEST_LINE)}`)
        .join(""),
    action: verdict === "refuse" ? "banned" : SPARED.includes(reason) ? "spared" : "attached",
  }),
  event: ({ ip }, { event: type, jail, failures, limit, windowMs, banMs, lastAt, clientName = null, lines }) =>
    ip === null ? null : { type, ip, jail, failures, limit, windowMs, banMs, lastAt, clientName, lines },
};

/** Reasons for not banning an address that a report would otherwise ban. */
const SPARED: readonly (Reason | null)[] = [
  ...PROTECTIONS,
  "known_address",
  "provider_busy",
  "repeated_password",
  "wanted_busy",
];

/** Refused by milters; the guard learns of it from their logs. */
const OF_CONTENT: readonly Reason[] = ["spam_refused", "dmarc_refused", "author_unclear", "author_not_own"];

/** Refusals by the guard: each is an event before a log reports it. */
export const LIVE_REFUSALS: readonly Reason[] = Object.keys(reasons).filter(
  (code): code is Reason => isReason(code) && smtpReplyOf(code) !== undefined && !OF_CONTENT.includes(code),
);
