import ipaddr from "ipaddr.js";
import { isV4, networkAddress, type Prefix, prefixLength } from "../../core/net/ip.ts";

export type Bounds = Readonly<{ first: Uint8Array; last: Uint8Array }>;

/** First and last address as 16 bytes, IPv4 mapped (RFC 4291, 2.5.5.2): networks of one family nest exactly as these ranges do. */
export function boundsOf(network: Prefix): Bounds {
  const address = ipaddr.parse(networkAddress(network)).toByteArray();
  const first = Uint8Array.from(isV4(network) ? [...MAPPED, ...address] : address);
  const length = prefixLength(network) + (isV4(network) ? 8 * MAPPED.length : 0);
  const last = first.map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, length - i * 8))));
  return { first, last };
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * Text prefixes that find the networks within this one. The text of each starts with exactly one of them, and few texts of other
 * networks do. RFC 5952 writes one run of zeros as `::`, which hides its length, so for IPv6 there is one prefix for each run that
 * may be written that way, and one for none.
 */
export function textsWithin(network: Prefix): readonly string[] {
  const length = prefixLength(network);
  if (isV4(network)) {
    const fixed = networkAddress(network)
      .split(".")
      .slice(0, Math.floor(length / 8));
    return [joined(fixed, ".")];
  }
  const groups = ipaddr.IPv6.parse(networkAddress(network)).parts.map((group) => group.toString(16));
  const fixed = groups.slice(0, Math.floor(length / 16));
  const partial = digitsOf(groups[fixed.length] ?? "0", length % 16);
  const shortened = zeroRuns(fixed).flatMap(([from, to]) => {
    // A single group of zeros is written this way only where the zeros may continue.
    const goesOn = to === fixed.length && partial === "";
    if (to - from < 2 && !goesOn) return [];
    return [`${fixed.slice(0, from).join(":")}::${joined(fixed.slice(to), ":")}${partial}`];
  });
  return [joined(fixed, ":") + partial, ...shortened];
}

export function sharedBeginning([first = "", ...others]: readonly string[]): string {
  let end = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, end))) end -= 1;
  return first.slice(0, end);
}

function joined(groups: readonly string[], separator: string): string {
  return groups.map((group) => group + separator).join("");
}

/** Runs of zero groups. `to` is exclusive. */
function zeroRuns(groups: readonly string[]): readonly (readonly [from: number, to: number])[] {
  const runs: [number, number][] = [];
  for (const [i, group] of groups.entries()) {
    if (group !== "0") continue;
    const last = runs.at(-1);
    if (last !== undefined && last[1] === i) last[1] = i + 1;
    else runs.push([i, i + 1]);
  }
  return runs;
}

/** The digits with which every group starts that has the same first `bits` as this one. */
function digitsOf(group: string, bits: number): string {
  const lowest = Number.parseInt(group, 16);
  const highest = (lowest | (0xffff >> bits)).toString(16);
  // Leading zeros are not written, and a group of zeros may not be written at all.
  if (lowest === 0 || highest.length !== group.length) return "";
  return sharedBeginning([group, highest]);
}
