import type { Ip, Prefix } from "../net/ip.ts";

/** An established TCP connection of a client to one of our ports. */
export type Connection = Readonly<{ ip: Ip; clientPort: number; port: number }>;

/** The share of strangers on ports where users sign in. The rest is reserved for known addresses. */
export function shareOfStrangers(places: number): number {
  return Math.floor(0.8 * places);
}

/** No unit alone fills a port, also a known one, whose connections are never cut to make room. */
export function shareOfOne(places: number): number {
  return Math.floor(places / 2);
}

export type ConnectionRules = Readonly<{
  /** Open connections to each port that one unit may have, but no more than `shareOfOne`: a stranger, and a known address. */
  most: number;
  mostKnown: number;
  /** By port: how many connections it serves at once. */
  places: ReadonlyMap<number, number>;
  /** By port: how many connections all strangers together may have, so that known addresses find room. */
  shares: ReadonlyMap<number, number>;
  unitOf: (ip: Ip) => Prefix;
  isKnown: (unit: Prefix) => boolean;
  /** Never limited: this machine, its gateway, the allow lists. */
  isExempt: (ip: Ip) => boolean;
}>;

export type ConnectionPlan = Readonly<{
  /** Units that have reached their limit on this port: their next connections are refused. */
  held: readonly Readonly<{ unit: Prefix; port: number }>[];
  /** Ports on which strangers hold their whole share. */
  full: readonly number[];
  /**
   * Connections to end. Past a limit: of those that came since the last check. Where strangers hold more than their
   * share: those of the units that hold most. The order in which they came is not known.
   */
  excess: readonly Connection[];
}>;

/** What the kernel is told. */
export type ConnectionOrders = Pick<ConnectionPlan, "held" | "full"> &
  Readonly<{
    /** Ports on which the guard limits connections. */
    watched: readonly number[];
    /** Units that may still connect where strangers hold their whole share. */
    known: readonly Prefix[];
  }>;

/**
 * Decides from the open connections. Only a finished handshake counts, so nobody is limited for packets that others
 * forge in their name. `before`: keys of the connections at the last check, which stay; null for the first check.
 */
export function planConnections(
  open: readonly Connection[],
  before: ReadonlySet<string> | null,
  rules: ConnectionRules,
): ConnectionPlan {
  const held: { unit: Prefix; port: number }[] = [];
  const full: number[] = [];
  const excess = new Set<Connection>();
  const cutDown = (units: readonly (readonly Connection[])[], most: number): void => {
    const over = units.reduce((sum, { length }) => sum + length, 0) - most;
    if (over <= 0 || before === null) return;
    for (const one of highestFirst(units, before).slice(0, over)) excess.add(one);
  };
  for (const [port, units] of byPort(open, rules)) {
    const half = shareOfOne(rules.places.get(port) ?? Number.POSITIVE_INFINITY);
    for (const [unit, connections] of units) {
      if (connections.length < Math.min(half, rules.most)) continue;
      const counted = connections.filter(({ ip }) => !rules.isExempt(ip));
      const most = Math.min(half, rules.isKnown(unit) ? rules.mostKnown : rules.most);
      if (counted.length >= most) held.push({ unit, port });
      cutDown([counted], most);
    }
    const share = rules.shares.get(port);
    const strangers = share === undefined ? [] : strangersAmong(units, share, rules);
    if (share === undefined || strangers.reduce((sum, { length }) => sum + length, 0) < share) continue;
    full.push(port);
    cutDown(
      strangers.map((connections) => connections.filter((one) => !excess.has(one))),
      share,
    );
  }
  return { held, full, excess: [...excess] };
}

/** Connections since `before`, in the order that always reduces the unit that holds most. */
function highestFirst(units: readonly (readonly Connection[])[], before: ReadonlySet<string>): readonly Connection[] {
  return units
    .flatMap((connections) =>
      connections
        .filter((c) => !before.has(connectionKey(c)))
        .map((one, i) => ({ one, height: connections.length - i })),
    )
    .toSorted((a, b) => b.height - a.height)
    .map(({ one }) => one);
}

export function connectionKey({ ip, clientPort, port }: Connection): string {
  return `${port} ${clientPort} ${ip}`;
}

type Units = Map<Prefix, Connection[]>;

function byPort(open: readonly Connection[], { unitOf }: ConnectionRules): ReadonlyMap<number, Units> {
  const ports = new Map<number, Units>();
  for (const one of open) {
    const units = ports.get(one.port) ?? new Map<Prefix, Connection[]>();
    ports.set(one.port, units);
    const unit = unitOf(one.ip);
    const connections = units.get(unit);
    if (connections === undefined) units.set(unit, [one]);
    else connections.push(one);
  }
  return ports;
}

/** Empty while all of them fit into the share, so that no unit needs a look-up. */
function strangersAmong(
  units: Units,
  share: number,
  { isKnown, isExempt }: ConnectionRules,
): readonly (readonly Connection[])[] {
  let all = 0;
  for (const connections of units.values()) all += connections.length;
  if (all < share) return [];
  return [...units].flatMap(([unit, connections]) =>
    isKnown(unit) ? [] : [connections.filter(({ ip }) => !isExempt(ip))],
  );
}
