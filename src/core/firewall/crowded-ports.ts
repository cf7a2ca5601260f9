import type { Prefix } from "../net/ip.ts";
import { MINUTE_MS, SECOND_MS } from "../time.ts";
import { type Connection, type ConnectionRules, shareOfStrangers } from "./open-connections.ts";

/** How far a connection has got. Milliseconds. */
export type Standing = Readonly<{
  /** Since it was opened, or since its mail last got on. */
  stalledMs: number;
  /** Since the client last sent anything, while it is the client's turn. */
  silentMs: number;
  /** A mail is on its way. */
  isTransferring: boolean;
}>;

export type CrowdRules = Pick<ConnectionRules, "places" | "shares" | "unitOf" | "isKnown" | "isExempt"> &
  Readonly<{
    /** Whether mail from this unit is known to be wanted: it is cut last. */
    isWanted: (unit: Prefix) => boolean;
  }>;

/** A port of which two thirds are taken. `cut`: connections to end, to make room. */
export type Crowd = Readonly<{
  port: number;
  taken: number;
  places: number;
  cut: readonly Connection[];
  /** Units to refuse for a while: they lost idle connections, and would take the same places again. */
  refused: readonly Prefix[];
  /** The unit that held most of it, of those that were cut. */
  worst: Prefix | null;
}>;

/** A mail program or server in a session sends sooner than this when it is its turn. */
const SILENT_MS = 3 * SECOND_MS;
/** From the connection to the first accepted recipient, and from mail to mail. */
const STALLED_MS = 30 * SECOND_MS;
/** RFC 5321, 4.5.3.2.6: how long a server may take over the end of DATA; here, how long DATA is never cut. */
export const TRANSFER_MS = 10 * MINUTE_MS;

/** Transfers that a stranger's unit keeps on a crowded port. With more, a few units could hold it by slow mails. */
const KEPT_TRANSFERS = 2;

/** Ports of which at least two thirds are taken. */
export function crowdedPorts(
  open: readonly Connection[],
  places: CrowdRules["places"],
): ReadonlyMap<number, readonly Connection[]> {
  const byPort = Map.groupBy(open, (one) => one.port);
  for (const [port, there] of byPort) {
    const most = places.get(port);
    if (most === undefined || there.length < mark(most)) byPort.delete(port);
  }
  return byPort;
}

/**
 * Which connections of a crowded port to end. Only strangers': those that say nothing or get nowhere, until a third is
 * free; others only from 95 % on, of all places or of those that strangers may have. Idle ones go first, then the unit
 * that holds most before the others and the oldest before the younger; so a newcomer who talks is the last. Servers
 * with wanted mail go after all others, and only from 95 % on. Known places, protected addresses and the latest
 * transfers of each unit stay. A fifth of the places is left to strangers in any case.
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
  const most = held - (places - shareOfStrangers(places));
  const overMark = Math.min(open.length - mark(places) + 1, most);
  const share = rules.shares.get(port) ?? places;
  const overLast = Math.min(Math.max(open.length - lastMark(places), held - lastMark(share)) + 1, most);
  const cut: Candidate[] = [];
  for (const one of strangers.flatMap(([unit, there]) => ranked(unit, there, standing, rules)).toSorted(byRank))
    if (cut.length < (one.isIdle && !one.isWanted ? overMark : overLast)) cut.push(one);
  return {
    port,
    taken: open.length,
    places,
    cut: cut.map(({ one }) => one),
    refused: [...new Set(cut.filter(({ isIdle, isWanted }) => isIdle && !isWanted).map(({ unit }) => unit))],
    worst: cut[0]?.unit ?? null,
  };
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
  const all = there.map((one) => {
    const how = standing(one);
    const isIdle = how.silentMs >= SILENT_MS || how.stalledMs >= STALLED_MS;
    return { ...how, one, unit, isWanted: wanted, isIdle, height: 0 };
  });
  // Of the transfers, those that last longest, so the slowest, are candidates.
  const transfers = all.filter(({ isTransferring }) => isTransferring).toSorted((a, b) => b.stalledMs - a.stalledMs);
  const further = wanted ? [] : transfers.slice(0, -KEPT_TRANSFERS);
  return [...all.filter(({ isTransferring }) => !isTransferring), ...further]
    .toSorted(byRank)
    .map((candidate, i, candidates) => ({ ...candidate, height: candidates.length - i }));
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
  return [...Map.groupBy(open, (one) => unitOf(one.ip))]
    .filter(([unit]) => !isKnown(unit))
    .map(([unit, there]) => [unit, there.filter(({ ip }) => !isExempt(ip))]);
}

/** From here on idle connections end. */
function mark(places: number): number {
  return Math.floor((2 * places) / 3);
}

/** From here on others end too. */
function lastMark(places: number): number {
  return Math.floor((19 * places) / 20);
}
