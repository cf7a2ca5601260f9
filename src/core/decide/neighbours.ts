import type { Reason } from "../events/reasons.ts";
import type { Ip, Prefix } from "../net/ip.ts";
import { later, type Millis } from "../time.ts";
import { nextBan } from "./ban-ladder.ts";
import type { BanChange, Change, Decision, Evidence } from "./decision.ts";
import type { Facts } from "./facts.ts";
import { HONEST_FOR_MS, honestyOf } from "./honest-mail.ts";
import type { Policy } from "./policy.ts";
import { protectionOf, spare } from "./sparing.ts";
import { countWithin } from "./windows.ts";

/**
 * Bans that count against the network: for guessing passwords or recipients, and for too many mails or connections. Others do
 * not, such as those for reports of Fail2ban and those by an administrator.
 */
export const COUNTING_BANS: readonly Reason[] = [
  "login_failures",
  "slow_guessing",
  "recipient_probing",
  "mail_limit",
  "connection_limit",
];

/**
 * Bans the network if many of its addresses offend: an attacker who rents a /24 or a /48 has an address for each try.
 * Checked only when one of them is banned or guesses. A network is spared if an account signed in from it recently, or
 * if wanted mail comes from it or goes to it.
 */
export function banOrSpareNetwork(policy: Policy, facts: Facts, { changes }: Decision, now: Millis): readonly Change[] {
  const isBanned = changes.some((change) => change.type === "BAN" && COUNTING_BANS.includes(change.ban.code));
  const guess = changes.find((change) => change.type === "GUESS");
  if ((!isBanned && guess === undefined) || facts.network === facts.prefix) return [];
  const { network, prefix, ip } = facts;
  const around = facts.neighbourhood();
  // Offences before a ban of the network, or before its end, no longer count. A guess adds only to guesses.
  const since = (windowMs: number): Millis => later(now, -Math.min(windowMs, now - around.settledAt));
  const withThis = (others: number, from: Millis): number => others + (now > from ? 1 : 0);
  const memory = since(policy.bans.memoryMs);
  const hour = since(policy.networks.windowMs);
  const together: NeighbourFacts = {
    network,
    ip,
    isBanned: around.ban !== null,
    offences: countWithin(around.offencesAt, policy.bans.memoryMs, now),
    banned: isBanned ? withThis(around.offenders(memory, prefix), memory) : 0,
    guesses: guess === undefined ? 0 : withThis(around.guesses(hour, guess), hour),
    times: 1,
  };
  // Reasons to spare the network are looked up only if it would be banned.
  if (banOfNetwork(policy, together, now) === null) return [];
  // Mail from banned prefixes within the network earns no credit.
  const banned = around.banned(later(now, -Math.max(HONEST_FOR_MS, policy.bans.memoryMs)));
  const servers = around.servers(later(now, -HONEST_FOR_MS));
  const { spared, times } = honestyOf(servers, isBanned ? [...banned, prefix] : banned);
  const due = banOfNetwork(policy, { ...together, times }, now);
  if (due === null) return [];
  const isKnown = around.hasSignIns(later(now, -policy.accounts.knownForMs));
  const honest = spared ? "honest_network" : null;
  const why = protectionOf(facts.sparing(network), now) ?? (isKnown ? "known_network" : honest);
  return why === null ? [due] : spare(facts, due.ban, why, now);
}

/** Facts about a network in which an address just offended, this offence included. */
export type NeighbourFacts = Readonly<{
  network: Prefix;
  /** The latest offender. */
  ip: Ip;
  /** Whether the network or a wider one is banned. */
  isBanned: boolean;
  /** Bans of the network itself within the memory. */
  offences: number;
  /** Prefixes in it with a counting ban within the memory, since the network's own last ban or its end. */
  banned: number;
  /** Wrong passwords for accounts that do not know its addresses, within the window and since its last ban. */
  guesses: number;
  /** How many times the limit applies, because of honest mail from it (honest-mail.ts). */
  times: number;
}>;

/** The ban of a network whose addresses offend together; null if only some of them do. */
export function banOfNetwork(policy: Policy, facts: NeighbourFacts, now: Millis): BanChange | null {
  const { network: prefix, ip, offences, isBanned, banned, guesses, times } = facts;
  const { failures, windowMs } = policy.networks;
  const byBans: Evidence = {
    count: banned,
    limit: times * policy.bans.neighbours,
    windowMs: policy.bans.memoryMs,
    key: "bans.neighbours",
  };
  const byGuesses: Evidence = { count: guesses, limit: times * failures, windowMs, key: "limits.networks.failures" };
  const evidence = [byBans, byGuesses].find(({ count, limit }) => count >= limit);
  if (isBanned || evidence === undefined) return null;
  const code = evidence === byBans ? "neighbours_banned" : "network_guesses";
  return nextBan(policy, { prefix, ip, offences }, { code, evidence }, now);
}
