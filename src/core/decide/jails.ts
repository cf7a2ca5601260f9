import type { Ip } from "../net/ip.ts";
import { HOUR_MS, MINUTE_MS, type Millis } from "../time.ts";

/** The jail that reads the web's own log: whoever takes over the web can write any address there. */
export const JAIL_OF_WEB = "ghostinbox-dashboard";

/** `logins`: each offence is a wrong password. `mail`: other offences. */
export type JailKind = "logins" | "mail";

export type Jail = Readonly<{
  name: string;
  kind: JailKind;
  /** This many offences within the window make a report. */
  limit: number;
  windowMs: number;
  /** The length of a first ban. */
  banMs: number;
}>;

const WINDOW_MS = 10 * MINUTE_MS;

/** The jails of every server. The owner's own filters become jails like `OWN_JAIL`. */
export const JAILS = [
  { name: "postfix", kind: "mail", limit: 3, windowMs: WINDOW_MS, banMs: 10 * MINUTE_MS },
  { name: "dovecot", kind: "logins", limit: 3, windowMs: WINDOW_MS, banMs: 10 * MINUTE_MS },
  { name: "postfix-auth", kind: "logins", limit: 4, windowMs: WINDOW_MS, banMs: 30 * MINUTE_MS },
  { name: "postfix-rbl", kind: "mail", limit: 3, windowMs: HOUR_MS, banMs: 30 * MINUTE_MS },
  { name: "postfix-spam", kind: "mail", limit: 3, windowMs: HOUR_MS, banMs: 30 * MINUTE_MS },
  { name: "ghostinbox-smtp-abuse", kind: "mail", limit: 10, windowMs: HOUR_MS, banMs: 2 * HOUR_MS },
  { name: JAIL_OF_WEB, kind: "logins", limit: 4, windowMs: WINDOW_MS, banMs: 30 * MINUTE_MS },
] as const satisfies readonly Jail[];

export type JailName = (typeof JAILS)[number]["name"];

/** Intrusion detectors. Their reports look like those of jails with these names, which no filter can have. */
const DETECTORS = ["ids:suricata", "ids:psad"] as const;

export type DetectorName = (typeof DETECTORS)[number];

export function isDetector(jail: string): boolean {
  return DETECTORS.some((name) => name === jail);
}

export const OWN_JAIL: Omit<Jail, "name"> = { kind: "mail", limit: 3, windowMs: WINDOW_MS, banMs: 10 * MINUTE_MS };

/** Whether the text can name a jail or a filter. */
export function isJailName(text: string): boolean {
  return /^[a-z0-9][a-z0-9_-]{0,39}$/.test(text);
}

/** Whether every server has this jail. Others belong to the owner's own filters. */
export function isStockJail(jail: string): boolean {
  return JAILS.some(({ name }) => name === jail);
}

export function isAboutLogins(jail: string): boolean {
  return JAILS.some(({ name, kind }) => name === jail && kind === "logins");
}

export type Blamed = Readonly<{ ip: Ip; offences: number; reported: boolean }>;

/**
 * Returns the addresses with their offences, those with the most first. `reported`: `limit` of them lie within the window, so a jail would
 * report it. The offences may come in any order.
 */
export function wouldReport(
  offences: readonly Readonly<{ ip: Ip; at: Millis }>[],
  { limit, windowMs }: Readonly<{ limit: number; windowMs: number }>,
): readonly Blamed[] {
  return [...Map.groupBy(offences, ({ ip }) => ip)]
    .map(([ip, all]) => {
      const times = all.map(({ at }) => at).toSorted((a, b) => a - b);
      const reported = times.some((at, i) => at - (times[i - limit + 1] ?? Number.NEGATIVE_INFINITY) < windowMs);
      return { ip, offences: times.length, reported };
    })
    .toSorted((a, b) => b.offences - a.offences || a.ip.localeCompare(b.ip));
}
