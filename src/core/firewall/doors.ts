import type { Ip, Prefix } from "../net/ip.ts";

/** An established TCP connection of a client to one of our ports. */
export type Connection = Readonly<{ ip: Ip; clientPort: number; port: number }>;

/** Connections that each door serves at once: processes of Postfix's smtpd, for each port, and of Dovecot's imap-login. */
export const PLACES = { smtpd: 100, imapLogin: 400 } as const;

/** What strangers may hold of them where users sign in: the rest is kept for addresses that accounts know. */
export function shareOfStrangers(places: number): number {
  return Math.floor(0.8 * places);
}

export type DoorRules = Readonly<{
  /** Connections that a stranger may hold at once to each port, by unit; and an address that accounts know. */
  most: number;
  mostKnown: number;
  /** By port: how many connections all strangers together may hold, so that those whom accounts know find room. */
  shares: ReadonlyMap<number, number>;
  unitOf: (ip: Ip) => Prefix;
  isKnown: (unit: Prefix) => boolean;
  /** Never limited: this machine, its gateway, the allow lists. */
  isExempt: (ip: Ip) => boolean;
}>;

export type DoorPlan = Readonly<{
  /** Whose next connections to this port are refused, for they hold as many as they may. */
  held: readonly Readonly<{ unit: Prefix; port: number }>[];
  /** Ports where strangers hold their whole share. */
  full: readonly number[];
  /**
   * Connections past a limit, which are ended, of those that came since the last look; where strangers hold more than
   * their share, those of the units that hold most. Which of them came last nothing tells.
   */
  excess: readonly Connection[];
}>;

/** What the kernel is told. */
export type DoorWords = Pick<DoorPlan, "held" | "full"> &
  Readonly<{
    /** Ports that the guard looks after. */
    watched: readonly number[];
    /** Units that may still come where strangers hold their share. */
    known: readonly Prefix[];
  }>;

/**
 * What follows from the connections that are open now. Only a finished handshake makes one, so that nobody is limited
 * for what others send in his name. `before`: keys of those of the last look, which stay; null before the first.
 */
export function planDoors(open: readonly Connection[], before: ReadonlySet<string> | null, rules: DoorRules): DoorPlan {
  const held: { unit: Prefix; port: number }[] = [];
  const full: number[] = [];
  const excess = new Set<Connection>();
  const cutDown = (units: readonly (readonly Connection[])[], most: number): void => {
    const over = units.reduce((sum, { length }) => sum + length, 0) - most;
    if (over <= 0 || before === null) return;
    for (const one of highestFirst(units, before).slice(0, over)) excess.add(one);
  };
  for (const [port, units] of byPort(open, rules)) {
    for (const [unit, connections] of units) {
      if (connections.length < rules.most) continue;
      const counted = connections.filter(({ ip }) => !rules.isExempt(ip));
      const most = rules.isKnown(unit) ? rules.mostKnown : rules.most;
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

/** Those that came since `before`, in an order that brings down the unit that holds most at each step. */
function highestFirst(units: readonly (readonly Connection[])[], before: ReadonlySet<string>): readonly Connection[] {
  return units
    .flatMap((connections) =>
      connections.filter((c) => !before.has(keyOf(c))).map((one, i) => ({ one, height: connections.length - i })),
    )
    .toSorted((a, b) => b.height - a.height)
    .map(({ one }) => one);
}

export function keyOf({ ip, clientPort, port }: Connection): string {
  return `${port} ${clientPort} ${ip}`;
}

type Units = Map<Prefix, Connection[]>;

function byPort(open: readonly Connection[], { unitOf }: DoorRules): ReadonlyMap<number, Units> {
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

/** Empty while all that are there fit into the share, so that nobody needs to be looked up. */
function strangersAmong(
  units: Units,
  share: number,
  { isKnown, isExempt }: DoorRules,
): readonly (readonly Connection[])[] {
  let all = 0;
  for (const connections of units.values()) all += connections.length;
  if (all < share) return [];
  return [...units].flatMap(([unit, connections]) =>
    isKnown(unit) ? [] : [connections.filter(({ ip }) => !isExempt(ip))],
  );
}
