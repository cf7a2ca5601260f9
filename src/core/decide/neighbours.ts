import type { Reason } from "../events/reasons.ts";
import type { Ip, Prefix } from "../net/ip.ts";
import type { Millis } from "../time.ts";
import { nextBan } from "./ban-ladder.ts";
import type { Change, Evidence } from "./decision.ts";
import type { Policy } from "./policy.ts";

/**
 * Bans that count against the network around: guessing and abuse that the engine saw and judged itself. What Fail2ban
 * reports and what an administrator bans says nothing of the neighbours.
 */
export const COUNTING_BANS: readonly Reason[] = [
  "login_failures",
  "recipient_probing",
  "mail_limit",
  "connection_limit",
];

/** What is known of a network in which somebody just offended, this offence included. */
export type NeighbourFacts = Readonly<{
  network: Prefix;
  /** Who offended last. */
  ip: Ip;
  /** Whether a ban stands on it, or around it. */
  isBanned: boolean;
  /** Bans of the network itself within the memory. */
  offences: number;
  /** Units within it that have a counting ban within the memory, since its own last ban or the end of that. */
  banned: number;
  /** Wrong passwords that it tried at accounts that do not know its addresses, within the window; since then too. */
  guesses: number;
  /** How many times a limit it takes here, for the honest mail that came from it (honest-mail.ts). */
  times: number;
}>;

/** The ban of a whole network whose addresses offend together; null while it is some of them only. */
export function banOfNetwork(
  policy: Policy,
  facts: NeighbourFacts,
  now: Millis,
): Extract<Change, { type: "BAN" }> | null {
  const { network: subject, ip, offences, isBanned, banned, guesses, times } = facts;
  const { failures, windowMs } = policy.networks;
  const byBans: Evidence = { count: banned, limit: times * policy.bans.neighbours, windowMs: policy.bans.memoryMs };
  const byGuesses: Evidence = { count: guesses, limit: times * failures, windowMs };
  const evidence = [byBans, byGuesses].find(({ count, limit }) => count >= limit);
  if (isBanned || evidence === undefined) return null;
  const code = evidence === byBans ? "neighbours_banned" : "network_guesses";
  return nextBan(policy, { subject, ip, offences }, { code, evidence }, now);
}
