import type { Prefix } from "../net/ip.ts";
import { DAY_MS } from "../time.ts";

/**
 * What a mail that was taken says for the server on the other side. Each kind is also all those before it.
 * `accepted`: delivered here, and not marked as spam. `proven`: its sender passed SPF, or a DKIM signature is right.
 * `wanted`: it passed SPF, and an account has written to its sender. `written`: the other way round, an account's mail
 * that the server took.
 */
export type Credit = "accepted" | "proven" | "wanted" | "written";

/** What is remembered of one server: a unit in which addresses are counted. */
export type HonestServer = Readonly<{
  prefix: Prefix;
  /** Mails of each kind. */
  accepted: number;
  proven: number;
  wanted: number;
  written: number;
  /** Different days on which it brought mail that was proven. */
  provenDays: number;
}>;

/** How far back honest mail speaks for a server. */
export const HONEST_FOR_MS = 30 * DAY_MS;
/** So many days of proven mail make a server one that people want to hear of. */
const DAYS_OF_TRUST = 3;
/** Servers that merely had mail accepted raise a limit so many times at most: one mail is cheap. */
const MOST_TIMES = 5;

/** Whether mail from this server, or to it, is known to be wanted: it cannot be had for a single mail. */
export function isWanted({ wanted, written, provenDays }: HonestServer): boolean {
  return wanted > 0 || written > 0 || provenDays >= DAYS_OF_TRUST;
}

/** What honest mail means for the ban of a network: whether it is spared, else how many times a limit it takes. */
export type Honesty = Readonly<{ spared: boolean; times: number }>;

/** `offenders`: units that were banned themselves, whose mail speaks for nothing. */
export function honestyOf(servers: readonly HonestServer[], offenders: readonly Prefix[]): Honesty {
  const honest = servers.filter(({ prefix }) => !offenders.includes(prefix));
  return { spared: honest.some(isWanted), times: Math.min(MOST_TIMES, 1 + honest.length) };
}
