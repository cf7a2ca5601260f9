import type { Change, Decision } from "../../core/decide/decision.ts";
import { HONEST_FOR_MS, type Honesty, honestyOf } from "../../core/decide/honest-mail.ts";
import { banOfNetwork, COUNTING_BANS, type NeighbourFacts } from "../../core/decide/neighbours.ts";
import type { Policy } from "../../core/decide/policy.ts";
import { countWithin } from "../../core/decide/windows.ts";
import type { Protection } from "../../core/events/reasons.ts";
import { contains, type Ip, networkAddress, type Prefix } from "../../core/net/ip.ts";
import { later, type Millis } from "../../core/time.ts";
import type { AccountHistory, History, HonestMail, NetworkHistory } from "../ports.ts";
import type { Sparing } from "./sparing.ts";

export type NeighbourParts = Readonly<{
  history: History;
  networks: NetworkHistory;
  honest: Pick<HonestMail, "servers">;
  accounts: Pick<AccountHistory, "networksSince">;
  sparing: Sparing;
}>;
/** More servers of one network than change anything. */
const MOST_SERVERS = 1_024;
/** What of this a decision brought. */
type Brought = Readonly<{ ban: boolean; guess: boolean }>;
type Who = Readonly<{ ip: Ip; subject: Prefix; network: Prefix }>;

/**
 * Bans the network where many of one network offend: an attacker who rents a /24 or a /48 has an address for each try.
 * Looked at only when one of them was banned or guessed. Never where an account signed in from lately, nor where mail
 * comes from, or goes to, that is wanted here.
 */
export class Neighbours {
  readonly #parts: NeighbourParts;

  constructor(parts: NeighbourParts) {
    this.#parts = parts;
  }

  /** After the changes of a decision have been written: what follows for the network around. */
  changes(policy: Policy, decided: Decision, who: Who, now: Millis): readonly Change[] {
    const brought = {
      ban: decided.changes.some((change) => change.type === "BAN" && COUNTING_BANS.includes(change.ban.code)),
      guess: decided.changes.some(({ type }) => type === "GUESS"),
    };
    if (!(brought.ban || brought.guess) || who.network === who.subject) return [];
    const facts = this.#facts(policy, who, brought, now);
    if (banOfNetwork(policy, facts, now) === null) return [];
    const { spared, times } = this.#honesty(policy, who.network, now);
    const due = banOfNetwork(policy, { ...facts, times }, now);
    if (due === null) return [];
    const why = this.#protection(policy, who.network, now) ?? (spared ? "honest_network" : null);
    if (why === null) return [due];
    const { prefix, ip, code } = due.ban;
    return this.#parts.sparing.isNews(prefix, now) ? [{ type: "SPARE", prefix, ip, why, code }] : [];
  }

  #protection(policy: Policy, network: Prefix, now: Millis): Protection | null {
    return this.#parts.sparing.why(network, now) ?? (this.#isHome(policy, network, now) ? "known_network" : null);
  }

  /** Whoever was banned within the network brought mail for nothing. */
  #honesty({ bans }: Policy, network: Prefix, now: Millis): Honesty {
    const { honest, networks } = this.#parts;
    const servers = honest.servers(network, later(now, -HONEST_FOR_MS), MOST_SERVERS);
    const memory = Math.max(HONEST_FOR_MS, bans.memoryMs);
    return honestyOf(servers, networks.banned(network, later(now, -memory)));
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
      times: 1,
    };
  }

  #isHome(policy: Policy, network: Prefix, now: Millis): boolean {
    const since = later(now, -policy.accounts.knownForMs);
    return this.#parts.accounts.networksSince(since).some((known) => contains(network, networkAddress(known)));
  }
}
