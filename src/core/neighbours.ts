import { nextBan } from "./ban-ladder.ts";
import type { Change, Evidence } from "./decision.ts";
import type { Ip, Prefix } from "./ip.ts";
import type { Policy } from "./policy.ts";
import type { Millis } from "./time.ts";

/** What is known of a network in which somebody just offended, this offence included. */
export type NeighbourFacts = Readonly<{
  network: Prefix;
  /** Who offended last. */
  ip: Ip;
  /** Whether a ban stands on it, or around it. */
  isBanned: boolean;
  /** Bans of the network itself within the memory. */
  offences: number;
  /** Units within it that were banned for an offence within the memory, since its own last ban or the end of that. */
  banned: number;
  /** Wrong passwords that it tried at accounts that do not know its addresses, within the window; since then too. */
  guesses: number;
}>;

/** The ban of a whole network whose addresses offend together; null while it is some of them only. */
export function banOfNetwork(
  policy: Policy,
  facts: NeighbourFacts,
  now: Millis,
): Extract<Change, { type: "BAN" }> | null {
  const { network: subject, ip, offences, isBanned, banned, guesses } = facts;
  const { neighbours, memoryMs } = policy.bans;
  const byBans: Evidence = { count: banned, limit: neighbours, windowMs: memoryMs };
  const byGuesses: Evidence = { count: guesses, limit: policy.networks.failures, windowMs: policy.networks.windowMs };
  const evidence = [byBans, byGuesses].find(({ count, limit }) => count >= limit);
  if (isBanned || evidence === undefined) return null;
  const code = evidence === byBans ? "neighbours_banned" : "network_guesses";
  return nextBan(policy, { subject, ip, offences }, { code, evidence }, now);
}
