import { neighbourhoodOf, networkAddress, type Prefix } from "../net/ip.ts";
import { MINUTE_MS, SECOND_MS } from "../time.ts";
import { type Connection, type ConnectionRules, shareOfStrangers } from "./connection-shares.ts";

/** How far a connection has got. Milliseconds. */
export type ConnectionProgress = Readonly<{
  /** Since it was opened, or since its mail last made progress. */
  stalledMs: number;
  /** Since the client last sent anything, while it is the client's turn. */
  silentMs: number;
  /** Whether a mail is being transferred. */
  isTransferring: boolean;
}>;

type ProgressOf = (one: Connection) => ConnectionProgress;

export type PortRules = Pick<ConnectionRules, "places" | "shares" | "prefixOf" | "isKnown" | "isExempt"> &
  Readonly<{
    /** Whether mail from this prefix is known to be wanted: it is cut last. */
    isWanted: (prefix: Prefix) => boolean;
    /** The only account that signed in from a known prefix; the prefix itself if there are several, as in an office. */
    ownerOf: (prefix: Prefix) => string;
  }>;

/** A port of which two thirds are taken. `cut`: connections to end, to make room. */
export type PortPlan = Readonly<{
  port: number;
  taken: number;
  places: number;
  cut: readonly Connection[];
  /** Prefixes to refuse for a while: they lost idle connections, and would take the same places again. */
  refused: readonly Prefix[];
  /** The prefix that held most among those that were cut; null if none was. */
  worst: Prefix | null;
}>;

/** A mail program or server in a session sends sooner than this when it is its turn. */
const SILENT_MS = 3 * SECOND_MS;
/** From the connection to the first accepted recipient, and from mail to mail. */
const STALLED_MS = 30 * SECOND_MS;
/** RFC 5321, 4.5.3.2.6: how long a server may take over the end of DATA; here, how long DATA is never cut. */
export const TRANSFER_MS = 10 * MINUTE_MS;

/** Transfers that a stranger's prefix keeps on a crowded port. With more, a few prefixes could hold it with slow mails. */
const KEPT_TRANSFERS = 2;
/** The same for a network, as a share of the places. A single IPv6 site has 65,536 prefixes. */
const KEPT_OF_NETWORK = { stranger: 1 / 20, wanted: 1 / 10 } as const;
/** Connections that the known prefixes of an account keep in any case: those of a few devices. */
const KEPT_OF_OWNER = 10;

/** Ports of which at least two thirds are taken. */
export function crowdedPorts(open: readonly Connection[], places: PortRules["places"]) {
  const byPort = Map.groupBy(open, (one) => one.port);
  for (const [port, there] of byPort) {
    const most = places.get(port);
    if (most === undefined || there.length < mark(most)) byPort.delete(port);
  }
  return byPort;
}

/**
 * Returns which connections of a crowded port to end, in this order:
 * 1. Strangers' idle connections, until a third of the places is free.
 * 2. Strangers' other connections, while 95 % of all places or of the strangers' share are taken: the oldest of the network, then of the
 *    prefix, that holds most. Servers with wanted mail lose connections only in this step, and some of each network last.
 * 3. Known prefixes' connections, while 95 % of all places are taken: those of the account with the most left, so that one user's many
 *    places keep no one out.
 * Never ends connections of protected addresses, the latest transfers of each stranger's prefix and network, or a few of each account, and
 * always leaves strangers a fifth of the places.
 */
export function planRoom(
  port: number,
  open: readonly Connection[],
  progressOf: ProgressOf,
  rules: PortRules,
): PortPlan {
  const places = rules.places.get(port) ?? 0;
  const { strangers, known } = prefixesOf(open, rules);
  const held = strangers.reduce((sum, [, there]) => sum + there.length, 0);
  const most = held - (places - shareOfStrangers(places));
  const overMark = Math.min(open.length - mark(places) + 1, most);
  const share = rules.shares.get(port) ?? places;
  const overLast = Math.min(Math.max(open.length - lastMark(places), held - lastMark(share)) + 1, most);
  const cut: Candidate[] = [];
  const kept = keptTransfers(strangers, places, { progressOf, rules });
  const rank = (of: PrefixThere): readonly Candidate[] => ranked(of, { progressOf, rules, kept });
  const networks = [...Map.groupBy(strangers, ([prefix]) => networkOf(prefix)).values()];
  for (const one of networks.flatMap((prefixes) => rankedTogether(prefixes.flatMap(rank), places)).toSorted(byRank))
    if (cut.length < (one.isIdle && !one.isWanted ? overMark : overLast)) cut.push(one);
  const overAll = open.length - cut.length - lastMark(places) + 1;
  const owners = overAll <= 0 ? [] : Map.groupBy(known, ([prefix]) => rules.ownerOf(prefix)).values();
  const ofKnown = [...owners]
    .flatMap((prefixes) => stacked(prefixes.flatMap(rank), "height"))
    .filter(({ height }) => height > KEPT_OF_OWNER)
    .toSorted((a, b) => b.height - a.height);
  const ended = [...cut, ...ofKnown.slice(0, overAll)];
  return {
    port,
    taken: open.length,
    places,
    cut: ended.map(({ one }) => one),
    refused: [...new Set(cut.filter(({ isIdle, isWanted }) => isIdle && !isWanted).map(({ prefix }) => prefix))],
    worst: ended[0]?.prefix ?? null,
  };
}

/**
 * `height`: how many connections of its prefix, or of its owner, are left when this one is ended next. `ofNetwork`: the same for its
 * network. `isLast`: it is ended after all others.
 */
type Candidate = ConnectionProgress &
  Readonly<Record<"isWanted" | "isLast" | "isIdle", boolean> & Record<"height" | "ofNetwork", number>> &
  Readonly<{ one: Connection; prefix: Prefix }>;

type PrefixThere = readonly [Prefix, readonly Connection[]];
/** `kept`: transfers that are not candidates. */
type Ranking = Readonly<{ progressOf: ProgressOf; rules: PortRules; kept: ReadonlySet<Connection> }>;

function ranked([prefix, there]: PrefixThere, { progressOf, rules, kept }: Ranking): readonly Candidate[] {
  const isWanted = rules.isWanted(prefix);
  const candidates = there
    .filter((one) => !kept.has(one))
    .map((one) => {
      const how = progressOf(one);
      const isIdle = how.silentMs >= SILENT_MS || how.stalledMs >= STALLED_MS;
      return { ...how, one, prefix, isWanted, isLast: isWanted, isIdle, height: 0, ofNetwork: 0 };
    });
  return stacked(candidates, "height");
}

/** Wanted mail is cheap to send, so only some connections of a network are ended last. Otherwise it could keep all newcomers out. */
function rankedTogether(network: readonly Candidate[], places: number): readonly Candidate[] {
  const most = Math.ceil(places * KEPT_OF_NETWORK.wanted);
  return stacked(network, "ofNetwork").map((one) => ({ ...one, isLast: one.isLast && one.ofNetwork <= most }));
}

function networkOf(prefix: Prefix): Prefix {
  return neighbourhoodOf(networkAddress(prefix), 48);
}

/** Keeps the latest of each prefix and network, so the slowest are candidates. A network's wanted mail counts separately. */
function keptTransfers(
  strangers: readonly PrefixThere[],
  places: number,
  { progressOf, rules }: Omit<Ranking, "kept">,
) {
  const latest = (all: readonly Connection[], most: number): readonly Connection[] =>
    all.toSorted((a, b) => progressOf(a).stalledMs - progressOf(b).stalledMs).slice(0, most);
  const transfers = strangers.map(([prefix, there]) => {
    const [all, isWanted] = [there.filter((one) => progressOf(one).isTransferring), rules.isWanted(prefix)];
    const most = Math.ceil(places * KEPT_OF_NETWORK[isWanted ? "wanted" : "stranger"]);
    const key = `${networkOf(prefix)} ${isWanted}`;
    return { key, most: Math.max(KEPT_TRANSFERS, most), kept: isWanted ? all : latest(all, KEPT_TRANSFERS) };
  });
  const kept = [...Map.groupBy(transfers, ({ key }) => key).values()].flatMap((network) => {
    const all = network.flatMap((prefix) => prefix.kept);
    return latest(all, network[0]?.most ?? 0);
  });
  return new Set(kept);
}

function stacked(candidates: readonly Candidate[], of: "height" | "ofNetwork"): readonly Candidate[] {
  return candidates.toSorted(byRank).map((one, i) => ({ ...one, [of]: candidates.length - i }));
}

function byRank(a: Candidate, b: Candidate): number {
  return (
    Number(a.isLast) - Number(b.isLast) ||
    Number(b.isIdle) - Number(a.isIdle) ||
    b.ofNetwork - a.ofNetwork ||
    b.height - a.height ||
    b.stalledMs - a.stalledMs ||
    b.silentMs - a.silentMs
  );
}

/** Connections by prefix, without those of protected addresses. */
function prefixesOf(open: readonly Connection[], { prefixOf, isKnown, isExempt }: PortRules) {
  const prefixes = [...Map.groupBy(open, (one) => prefixOf(one.ip))].map(
    ([prefix, there]) => [prefix, there.filter(({ ip }) => !isExempt(ip))] as const,
  );
  const byKnown = Map.groupBy(prefixes, ([prefix]) => isKnown(prefix));
  return { strangers: byKnown.get(false) ?? [], known: byKnown.get(true) ?? [] };
}

/** From this many connections on, idle ones are ended. */
function mark(places: number): number {
  return Math.floor((2 * places) / 3);
}

/** From this many on, others are ended too. */
function lastMark(places: number): number {
  return Math.floor((19 * places) / 20);
}
