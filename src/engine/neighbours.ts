import type { Change, Decision } from "../core/decision.ts";
import { contains, type Ip, networkAddress, type Prefix } from "../core/ip.ts";
import { banOfNetwork, type NeighbourFacts } from "../core/neighbours.ts";
import type { Policy } from "../core/policy.ts";
import { later, type Millis } from "../core/time.ts";
import { countWithin } from "../core/windows.ts";
import type { AccountHistory, History, NetworkHistory } from "./ports.ts";
import type { Sparing } from "./sparing.ts";

export type NeighbourParts = Readonly<{
  history: History;
  networks: NetworkHistory;
  accounts: Pick<AccountHistory, "networksSince">;
  sparing: Sparing;
}>;
/** What of this a decision brought. */
type Brought = Readonly<{ ban: boolean; guess: boolean }>;
type Who = Readonly<{ ip: Ip; subject: Prefix; network: Prefix }>;

/**
 * Bans the network where many of one network offend: an attacker who rents a /24 or a /48 has an address for each try.
 * Looked at only when one of them was banned or guessed. Never where an account signed in from lately.
 */
export class Neighbours {
  readonly #parts: NeighbourParts;

  constructor(parts: NeighbourParts) {
    this.#parts = parts;
  }

  /** After the changes of a decision have been written: what follows for the network around. */
  changes(policy: Policy, decided: Decision, who: Who, now: Millis): readonly Change[] {
    const brought = { ban: isIn(decided, "BAN"), guess: isIn(decided, "GUESS") };
    if (!(brought.ban || brought.guess) || who.network === who.subject) return [];
    const due = banOfNetwork(policy, this.#facts(policy, who, brought, now), now);
    if (due === null) return [];
    const why =
      this.#parts.sparing.why(who.network, now) ?? (this.#isHome(policy, who.network, now) ? "known_network" : null);
    if (why === null) return [due];
    const { prefix, ip, code } = due.ban;
    return this.#parts.sparing.isNews(prefix, now) ? [{ type: "SPARE", prefix, ip, why, code }] : [];
  }

  /** What a ban of the network has answered, or its end, is spent; and a guess adds to guesses only. */
  #facts(policy: Policy, { ip, network }: Who, brought: Brought, now: Millis): NeighbourFacts {
    const { history, networks } = this.#parts;
    const settled = networks.settledAt(network, now);
    const since = (windowMs: number): Millis => later(now, -Math.min(windowMs, now - settled));
    const reach = { sinceConnections: now, sinceMails: now, sinceFailures: now, sinceProbes: now, most: 1 };
    const { ban, offencesAt } = history.address(network, reach);
    return {
      network,
      ip,
      isBanned: ban !== null,
      offences: countWithin(offencesAt, policy.bans.memoryMs, now),
      banned: brought.ban ? networks.offenders(network, since(policy.bans.memoryMs)) : 0,
      guesses: brought.guess ? networks.guessesFrom(network, since(policy.networks.windowMs)) : 0,
    };
  }

  #isHome(policy: Policy, network: Prefix, now: Millis): boolean {
    const since = later(now, -policy.accounts.knownForMs);
    return this.#parts.accounts.networksSince(since).some((known) => contains(network, networkAddress(known)));
  }
}

function isIn({ changes }: Decision, type: Change["type"]): boolean {
  return changes.some((change) => change.type === type);
}
