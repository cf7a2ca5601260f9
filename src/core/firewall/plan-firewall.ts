import { isV4, type Prefix, prefixLength, widened } from "../net/ip.ts";
import { isOver, type Millis } from "../time.ts";

/**
 * Sets of the kernel. Sets named `ban` find an address by its hash and hold any number of elements cheaply. Sets named
 * `net` hold intervals, and overlapping elements are an error.
 */
export const HASH_SETS = ["ban4", "ban6", "ban6_host"] as const;
export const INTERVAL_SETS = ["net4", "net6"] as const;
type HashSet = (typeof HASH_SETS)[number];
type IntervalSet = (typeof INTERVAL_SETS)[number];
export type BanSet = HashSet | IntervalSet;

/** `timeoutS`: whole seconds after which the kernel removes it; null: never. */
export type Element = Readonly<{ prefix: Prefix; timeoutS: number | null }>;
/** Bans of networks in an interval set, each with its end. There are few. The hash sets are not mirrored. */
export type Networks = ReadonlyMap<Prefix, Millis | null>;

/** A ban in force. `expiresAt` null: permanent. */
export type FirewallBan = Readonly<{ prefix: Prefix; expiresAt: Millis | null }>;
type Step = (FirewallBan & Readonly<{ type: "add" }>) | Readonly<{ type: "delete"; prefix: Prefix }>;

export type SetChange =
  /** `add` replaces an existing element and its timeout; `remove` may name an element that does not exist. */
  | Readonly<{ set: HashSet; type: "change"; add: readonly Element[]; remove: readonly Prefix[] }>
  | Readonly<{ set: IntervalSet; type: "rebuild"; elements: readonly Element[] }>;

export type Plan = Readonly<{ changes: readonly SetChange[]; networks: Networks }>;

/** IPv6 networks of `ipv6Length`, the prefixes of bans, are found by masking the source address. */
export function setOf(prefix: Prefix, ipv6Length: number): BanSet {
  const length = prefixLength(prefix);
  if (isV4(prefix)) return length === 32 ? "ban4" : "net4";
  if (length === ipv6Length) return "ban6";
  return length === 128 ? "ban6_host" : "net6";
}

/** Part of what a set must hold. A hash set may come in several fillings, an interval set comes in one. */
export type Filling = Readonly<{ set: BanSet; elements: readonly Element[] }>;

/** `networks` is complete once `fillings` has been read. */
export type ResetPlan = Readonly<{ fillings: Iterable<Filling>; networks: Networks }>;

/** Most elements in one filling of a hash set. */
export const FILLING_ELEMENTS = 1_000;

/**
 * What each empty set must be filled with. There may be a hundred thousand bans, so they are read while `fillings` is read, and only one
 * filling of each set is in memory.
 */
export function planReset(bans: Iterable<FirewallBan>, now: Millis, ipv6Length: number): ResetPlan {
  const networks = new Map<Prefix, Millis | null>();
  return { fillings: fillings(bans, networks, now, ipv6Length), networks };
}

function* fillings(bans: Iterable<FirewallBan>, networks: Map<Prefix, Millis | null>, now: Millis, ipv6Length: number) {
  const add = bySet<Element>();
  for (const ban of bans) {
    if (isOver(ban.expiresAt, now)) continue;
    const set = setOf(ban.prefix, ipv6Length);
    if (set === "net4" || set === "net6") {
      networks.set(ban.prefix, ban.expiresAt);
      continue;
    }
    add[set].push(element(ban, now));
    if (add[set].length < FILLING_ELEMENTS) continue;
    yield { set, elements: add[set] };
    add[set] = [];
  }
  for (const set of HASH_SETS) if (add[set].length > 0) yield { set, elements: add[set] };
  for (const set of INTERVAL_SETS) {
    const elements = outerElements(set, networks, now);
    if (elements.length > 0) yield { set, elements };
  }
}

/**
 * The last step for a prefix wins. An interval set is rebuilt completely, because a network may cover or uncover
 * others.
 */
export function planSteps(networks: Networks, steps: readonly Step[], now: Millis, ipv6Length: number): Plan {
  const add = bySet<Element>();
  const remove = bySet<Prefix>();
  const inSet = new Map(networks);
  const touched = new Set<IntervalSet>();
  for (const step of new Map(steps.map((one) => [one.prefix, one])).values()) {
    const set = setOf(step.prefix, ipv6Length);
    const lives = step.type === "add" && !isOver(step.expiresAt, now);
    if (set === "net4" || set === "net6") {
      touched.add(set);
      if (lives) inSet.set(step.prefix, step.expiresAt);
      else inSet.delete(step.prefix);
    } else if (lives) add[set].push(element(step, now));
    else remove[set].push(step.prefix);
  }
  const changes: SetChange[] = HASH_SETS.filter((set) => add[set].length + remove[set].length > 0).map((set) => ({
    set,
    type: "change",
    add: add[set],
    remove: remove[set],
  }));
  for (const set of INTERVAL_SETS)
    if (touched.has(set)) changes.push({ set, type: "rebuild", elements: outerElements(set, inSet, now) });
  return { changes, networks: inSet };
}

/** Returns the networks that lie within none of the others. */
export function outermost(prefixes: readonly Prefix[]): readonly Prefix[] {
  const all = new Set(prefixes);
  const lengths = [...new Set(prefixes.map(prefixLength))];
  return [...all].filter((prefix) => {
    const own = prefixLength(prefix);
    return !lengths.some((length) => length < own && all.has(widened(prefix, length)));
  });
}

/**
 * A network within a wider one is skipped, because nft allows no overlap. If the wider one ends first, that step
 * restores the inner one. The kernel ends the wider one up to a second before that; until the step only the guard refuses the inner one.
 */
function outerElements(set: IntervalSet, networks: Networks, now: Millis): readonly Element[] {
  const living = [...networks]
    .map(([prefix, expiresAt]): FirewallBan => ({ prefix, expiresAt }))
    .filter(({ prefix, expiresAt }) => isV4(prefix) === (set === "net4") && !isOver(expiresAt, now));
  const outer = new Set(outermost(living.map(({ prefix }) => prefix)));
  return living.filter(({ prefix }) => outer.has(prefix)).map((network) => element(network, now));
}

function element({ prefix, expiresAt }: FirewallBan, now: Millis): Element {
  return { prefix, timeoutS: expiresAt === null ? null : Math.ceil((expiresAt - now) / 1000) };
}

function bySet<T>(): Record<HashSet, T[]> {
  return { ban4: [], ban6: [], ban6_host: [] };
}
