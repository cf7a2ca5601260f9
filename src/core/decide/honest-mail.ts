import type { Prefix } from "../net/ip.ts";
import { DAY_MS } from "../time.ts";

/**
 * The credit of an accepted mail for the server on the other side. Of mail from it, each kind includes those before it. `accepted`:
 * delivered here, and not marked as spam. `proven`: the sender passed SPF, or a DKIM signature is valid. `wanted`: it
 * passed SPF, and an account has written to its sender. `written`: the other direction, an account's mail that the
 * server accepted.
 */
export type Credit = "accepted" | "proven" | "wanted" | "written";

/** What is known about one server, which is a prefix by which clients are counted. */
export type HonestServer = Readonly<{
  prefix: Prefix;
  /** Mails of each kind. */
  accepted: number;
  proven: number;
  wanted: number;
  written: number;
  /** Different days on which it sent proven mail. */
  provenDays: number;
}>;

export const HONEST_FOR_MS = 30 * DAY_MS;
/** After this many days of proven mail, mail from a server counts as wanted. */
const DAYS_OF_TRUST = 3;
/** Servers whose mail was only accepted multiply a limit by at most this, because one mail is cheap. */
const MOST_TIMES = 5;

/** Whether mail from or to this server is known to be wanted. Mail that is only proven must come on several days. */
export function isWanted({ wanted, written, provenDays }: HonestServer): boolean {
  return wanted > 0 || written > 0 || provenDays >= DAYS_OF_TRUST;
}

/** What honest mail means for a ban of the network: the network is spared, or its limits are multiplied. */
export type Honesty = Readonly<{ spared: boolean; times: number }>;

/** `offenders`: banned prefixes, whose mail does not count. */
export function honestyOf(servers: readonly HonestServer[], offenders: readonly Prefix[]): Honesty {
  const honest = servers.filter(({ prefix }) => !offenders.includes(prefix));
  return { spared: honest.some(isWanted), times: Math.min(MOST_TIMES, 1 + honest.length) };
}
