import type { Neighbourhood } from "../../core/decide/facts.ts";
import type { Prefix } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import type { AccountHistory, History, HonestMail, NetworkHistory } from "../storage-ports.ts";

export type NeighbourParts = Readonly<{
  history: Pick<History, "address">;
  neighbours: NetworkHistory;
  honest: Pick<HonestMail, "servers">;
  accounts: Pick<AccountHistory, "knownWithin">;
}>;

/** More servers in one network do not change any decision. */
const MOST_SERVERS = 1_024;

/** What the addresses of a network did together, for the rules in core/decide/neighbours.ts. */
export function neighboursIn(parts: NeighbourParts, network: Prefix, now: Millis): Neighbourhood {
  const { history, neighbours, honest, accounts } = parts;
  // Nothing is counted for a whole network: only its ban and its offences are read.
  const reach = {
    sinceConnections: now,
    sinceMails: now,
    sinceFailures: now,
    sinceProbes: now,
    most: 1,
    mostFailures: 1,
  };
  const { ban, offencesAt } = history.address(network, reach);
  return {
    ban,
    offencesAt,
    settledAt: neighbours.settledAt(network, now),
    offenders: (since, besides) => neighbours.offenders(network, since, besides),
    guesses: (since, besides) => neighbours.guessesFrom(network, { since, until: now }, besides),
    banned: (since) => neighbours.banned(network, since),
    servers: (since) => honest.servers(network, since, MOST_SERVERS),
    signIns: (since) => accounts.knownWithin(network, since),
  };
}
