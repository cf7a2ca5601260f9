import { type Ip, isV4, networkAddress, type Prefix, prefixLength } from "../../core/net/ip.ts";
import { addressesIn } from "./line-addresses.ts";

/**
 * A number for an address, so that a network is a range of numbers: for IPv4 the address, for IPv6 its first 48 bits,
 * above all of IPv4.
 */
const [V4_BITS, V6_BITS] = [32, 48];
const FIRST_V6 = 2 ** V6_BITS;

/** The keys of all addresses in a text, in ascending order. Null: more than `most`. */
export function addressKeysIn(text: string, most: number): Float64Array | null {
  const keys = new Set<number>();
  for (const ip of addressesIn(text)) {
    keys.add(keyOf(ip));
    if (keys.size > most) return null;
  }
  return Float64Array.from(keys).sort();
}

/** The smallest and the largest key that an address of the network can have. */
export type KeyRange = Readonly<{ from: number; to: number }>;

export function keyRange(network: Prefix): KeyRange {
  const bits = isV4(network) ? V4_BITS : V6_BITS;
  const from = keyOf(networkAddress(network));
  return { from, to: from + 2 ** Math.max(0, bits - prefixLength(network)) - 1 };
}

/** Whether a key of the range is among these, which are in ascending order. */
export function hasKeyIn(keys: Float64Array, { from, to }: KeyRange): boolean {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return low < keys.length && (keys[low] ?? 0) <= to;
}

function keyOf(ip: Ip): number {
  if (isV4(ip)) return ip.split(".").reduce((key, part) => key * 256 + Number(part), 0);
  const [head = [], tail = []] = ip.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const groups = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => "0"), ...tail];
  return (
    groups.slice(0, V6_BITS / 16).reduce((key, group) => key * 0x1_0000 + Number.parseInt(group, 16), 0) + FIRST_V6
  );
}
