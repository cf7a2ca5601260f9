import type { Prefix } from "../net/ip.ts";
import { MINUTE_MS, SECOND_MS } from "../time.ts";
import { type Connection, type ConnectionRules, shareOfStrangers } from "./open-connections.ts";

/** How far a connection has got. Milliseconds. */
export type Standing = Readonly<{
  /** Since it was opened, or since its mail last got on. */
  stalledMs: number;
  /** Since the client last sent anything, while it is the client's turn. */
  silentMs: number;
  /** A mail is on its way: the connection is never cut. */
  isTransferring: boolean;
}>;

export type CrowdRules = Pick<ConnectionRules, "unitOf" | "isKnown" | "isExempt"> &
  Readonly<{
    /** By port: how many connections it serves at once. */
    places: ReadonlyMap<number, number>;
    /** Whether mail from this unit is known to be wanted: it is cut last. */
    isWanted: (unit: Prefix) => boolean;
  }>;

/** A port of which two thirds are taken. `cut`: connections to end, so that a third of it is free. */
export type Crowd = Readonly<{
  port: number;
  taken: number;
  places: number;
  cut: readonly Connection[];
  /** The unit that held most of it, of those that were cut. */
  worst: Prefix | null;
}>;

/** A mail program or server in a session sends sooner than this when it is its turn. */
const SILENT_MS = 3 * SECOND_MS;
/** From the connection to the first accepted recipient, and from mail to mail. */
const STALLED_MS = 30 * SECOND_MS;
/** RFC 5321, 4.5.3.2.6: how long a server may take over the end of DATA; here, how long DATA is never cut. */
export const TRANSFER_MS = 10 * MINUTE_MS;

/** Ports of which at least two thirds are taken. */
export function crowdedPorts(
  open: readonly Connection[],
  places: CrowdRules["places"],
): ReadonlyMap<number, readonly Connection[]> {
  const byPort = new Map<number, Connection[]>();
  for (const one of open) {
    const there = byPort.get(one.port);
    if (there === undefined) byPort.set(one.port, [one]);
    else there.push(one);
  }
  for (const [port, there] of byPort) {
    const most = places.get(port);
    if (most === undefined || there.length < mark(most)) byPort.delete(port);
  }
  return byPort;
}

/**
 * Which connections of a crowded port to end. Strangers alone: first those that say nothing or get nowhere, the unit
 * that holds most before the others and the oldest before the younger; so a newcomer who talks is the last. Known
 * places, protected addresses and mail on its way stay. A fifth of the places is left to strangers in any case.
 */
export function planRoom(
  port: number,
  open: readonly Connection[],
  standing: (one: Connection) => Standing,
  rules: CrowdRules,
): Crowd {
  const places = rules.places.get(port) ?? 0;
  const strangers = strangersAmong(open, rules);
  const held = strangers.reduce((sum, [, there]) => sum + there.length, 0);
  const over = Math.min(open.length - mark(places) + 1, held - (places - shareOfStrangers(places)));
  const candidates = strangers.flatMap(([unit, there]) => ranked(unit, there, standing, rules));
  const cut = candidates.toSorted(byRank).slice(0, Math.max(0, over));
  return { port, taken: open.length, places, cut: cut.map(({ one }) => one), worst: cut[0]?.unit ?? null };
}

type Candidate = Standing &
  Readonly<{ one: Connection; unit: Prefix; isWanted: boolean; isIdle: boolean; height: number }>;

/** `height`: how many of the unit are left when this one is its next to go. */
function ranked(
  unit: Prefix,
  there: readonly Connection[],
  standing: (one: Connection) => Standing,
  { isWanted }: CrowdRules,
): readonly Candidate[] {
  const wanted = isWanted(unit);
  return there
    .map((one) => {
      const how = standing(one);
      const isIdle = how.silentMs >= SILENT_MS || how.stalledMs >= STALLED_MS;
      return { ...how, one, unit, isWanted: wanted, isIdle, height: 0 };
    })
    .filter(({ isTransferring }) => !isTransferring)
    .toSorted(byRank)
    .map((candidate, i, all) => ({ ...candidate, height: all.length - i }));
}

function byRank(a: Candidate, b: Candidate): number {
  return (
    Number(a.isWanted) - Number(b.isWanted) ||
    Number(b.isIdle) - Number(a.isIdle) ||
    b.height - a.height ||
    b.stalledMs - a.stalledMs ||
    b.silentMs - a.silentMs
  );
}

function strangersAmong(
  open: readonly Connection[],
  { unitOf, isKnown, isExempt }: CrowdRules,
): readonly (readonly [Prefix, readonly Connection[]])[] {
  const units = new Map<Prefix, Connection[]>();
  for (const one of open) {
    const unit = unitOf(one.ip);
    const there = units.get(unit);
    if (there === undefined) units.set(unit, [one]);
    else there.push(one);
  }
  return [...units]
    .filter(([unit]) => !isKnown(unit))
    .map(([unit, there]) => [unit, there.filter(({ ip }) => !isExempt(ip))]);
}

function mark(places: number): number {
  return Math.floor((2 * places) / 3);
}
