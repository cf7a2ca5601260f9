import { connectionName } from "../events/connection.ts";
import type { Ip, Prefix } from "../net/ip.ts";

/** An established TCP connection of a client to one of our ports. */
export type Connection = Readonly<{ ip: Ip; clientPort: number; port: number }>;

/** The share of strangers on ports where users sign in. The rest is reserved for known addresses. */
export function shareOfStrangers(places: number): number {
  return Math.floor(0.8 * places);
}

/** No single prefix fills a port, not even a known one, whose connections are the last to be closed to make room. */
export function shareOfOneClient(places: number): number {
  return Math.floor(places / 2);
}

export type ConnectionRules = Readonly<{
  /** Maximum open connections of a stranger's prefix, and of a known one (`mostKnown`). Neither exceeds `shareOfOneClient` on a port. */
  most: number;
  mostKnown: number;
  /** Whether `most` and `mostKnown` hold for each port on its own. Otherwise connections to all ports count together. */
  perPort: boolean;
  ports: readonly number[];
  /** By port: how many connections it serves at once. */
  places: ReadonlyMap<number, number>;
  /** By port: how many connections all strangers together may have, so that known addresses find room. */
  shares: ReadonlyMap<number, number>;
  prefixOf: (ip: Ip) => Prefix;
  isKnown: (prefix: Prefix) => boolean;
  /** Never limited: this machine, its gateway, the allow lists. */
  isExempt: (ip: Ip) => boolean;
}>;

export type ConnectionPlan = Readonly<{
  /** Prefixes that have reached their limit on this port: their next connections are refused. */
  refused: readonly Readonly<{ prefix: Prefix; port: number }>[];
  /** Ports on which strangers hold their whole share. */
  full: readonly number[];
  /**
   * Connections to end, only among those opened since the last check, whose order is not known: those of a prefix past its limit, and where
   * strangers hold more than their share, those of the prefixes that hold most.
   */
  excess: readonly Connection[];
}>;

/** Orders to the kernel. */
export type ConnectionOrders = Pick<ConnectionPlan, "refused" | "full"> &
  Readonly<{
    /** Ports on which the guard limits connections. */
    watched: readonly number[];
    /** Prefixes that may still connect where strangers hold their whole share. */
    known: readonly Prefix[];
  }>;

/**
 * Decides from the open connections. Only a finished handshake counts, so no address is limited for packets that others forge in their
 * name. `before`: keys of the connections at the last check, which are kept; null at the first check.
 */
export function planConnections(
  open: readonly Connection[],
  before: Keys | null,
  rules: ConnectionRules,
): ConnectionPlan {
  const refused: { prefix: Prefix; port: number }[] = [];
  const full: number[] = [];
  const excess = new Set<Connection>();
  const cutDown = (prefixes: Groups, most: number): void => {
    const over = prefixes.reduce((sum, { length }) => sum + length, 0) - most;
    if (over <= 0 || before === null) return;
    for (const one of highestFirst(prefixes, before).slice(0, over)) excess.add(one);
  };
  const limitPrefixes = (
    prefixes: Prefixes,
    ports: readonly number[],
    mostOf: (prefix: Prefix) => number,
    least: number,
  ): void => {
    for (const [prefix, connections] of prefixes) {
      if (connections.length < least) continue;
      const counted = connections.filter((one) => !rules.isExempt(one.ip));
      const most = mostOf(prefix);
      if (counted.length >= most) refused.push(...ports.map((port) => ({ prefix, port })));
      cutDown([counted.filter((one) => !excess.has(one))], most);
    }
  };
  const prefixOf = ({ ip }: Connection): Prefix => rules.prefixOf(ip);
  const ofAddress = (prefix: Prefix): number => (rules.isKnown(prefix) ? rules.mostKnown : rules.most);
  if (!rules.perPort) limitPrefixes(Map.groupBy(open, prefixOf), rules.ports, ofAddress, rules.most);
  for (const [port, there] of Map.groupBy(open, ({ port }) => port)) {
    const prefixes = Map.groupBy(there, prefixOf);
    const half = shareOfOneClient(rules.places.get(port) ?? Number.POSITIVE_INFINITY);
    if (rules.perPort)
      limitPrefixes(prefixes, [port], (prefix) => Math.min(half, ofAddress(prefix)), Math.min(half, rules.most));
    else limitPrefixes(prefixes, [port], () => half, half);
    const share = rules.shares.get(port);
    const strangers = share === undefined ? [] : strangersAmong(prefixes, share, rules);
    if (share === undefined || strangers.reduce((sum, { length }) => sum + length, 0) < share) continue;
    full.push(port);
    const left = strangers.map((connections) => connections.filter((one) => !excess.has(one)));
    cutDown(left, share);
  }
  return { refused, full, excess: [...excess] };
}

/** Connections opened since `before`, in an order that always reduces the prefix that holds most. */
function highestFirst(prefixes: Groups, before: Keys): readonly Connection[] {
  return prefixes
    .flatMap((connections) =>
      connections
        .filter((c) => !before.has(connectionName(c)))
        .map((one, i) => ({ one, height: connections.length - i })),
    )
    .toSorted((a, b) => b.height - a.height)
    .map(({ one }) => one);
}

type Prefixes = Map<Prefix, Connection[]>;
type Keys = ReadonlySet<string>;
type Groups = readonly (readonly Connection[])[];

/** Empty while all connections fit into the share, so that no prefix is looked up. */
function strangersAmong(prefixes: Prefixes, share: number, { isKnown, isExempt }: ConnectionRules): Groups {
  let all = 0;
  for (const connections of prefixes.values()) all += connections.length;
  if (all < share) return [];
  return [...prefixes].flatMap(([prefix, connections]) =>
    isKnown(prefix) ? [] : [connections.filter(({ ip }) => !isExempt(ip))],
  );
}

/** Each account keeps this many sessions: two mail programs with a few folders each. */
const KEPT = 10;

/** Maximum sessions of an account, from all its addresses. With hundreds, its searches delay all sign-ins, even while places are free. */
function sessionsOfOne(places: number): number {
  return Math.max(60, Math.floor(places / 4));
}

/** Maximum sessions of all accounts together. With more, places run out. */
function sessionsOfAll(places: number): number {
  return Math.floor((places * 2) / 3);
}

/** With no more sessions than this, no account has a surplus. */
export function sessionsWithoutSurplus(places: number): number {
  return Math.min(sessionsOfOne(places), sessionsOfAll(places));
}

/** A session of an account, in which it has signed in. */
export type Session = Readonly<{ account: string; ip: string; pid: number }>;
/** An account whose sessions take other people's places: how many, from how many addresses, and which to end. */
export type Surplus = Readonly<{ account: string; sessions: number; addresses: number; end: readonly Session[] }>;

/**
 * Returns which sessions to end until no account has more than `sessionsOfOne` and a third of the places is free. Each is one of the
 * account with the most, at its busiest address, so other users and devices keep theirs. Lists the account with the most sessions first.
 */
export function surplusOf(open: readonly Session[], places: number): readonly Surplus[] {
  const accounts = [...Map.groupBy(open, ({ account }) => account)].map(([account, sessions]) => ({
    account,
    sessions: sessions.length,
    byAddress: [...Map.groupBy(sessions, ({ ip }) => ip).values()],
    left: sessions.length,
    end: [] as Session[],
  }));
  for (let left = open.length; ; left--) {
    const most = largest(accounts, ({ left: has }) => has);
    if (most === null || most.left <= KEPT) break;
    if (most.left <= sessionsOfOne(places) && left <= sessionsOfAll(places)) break;
    const ended = largest(most.byAddress, ({ length }) => length)?.pop();
    if (ended === undefined) break;
    most.left--;
    most.end.push(ended);
  }
  return accounts
    .filter(({ end }) => end.length > 0)
    .map(({ account, sessions, byAddress, end }) => ({ account, sessions, addresses: byAddress.length, end }))
    .toSorted((a, b) => b.sessions - a.sessions);
}

function largest<T>(all: readonly T[], size: (one: T) => number): T | null {
  return all.reduce<T | null>((most, one) => (most !== null && size(most) >= size(one) ? most : one), null);
}
