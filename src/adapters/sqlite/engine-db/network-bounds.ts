import ipaddr from "ipaddr.js";
import { isV4, networkAddress, type Prefix, parsePrefix, prefixLength } from "../../../core/net/ip.ts";

export type Bounds = Readonly<{ first: Uint8Array; last: Uint8Array }>;

/** First and last address as 16 bytes, IPv4 mapped (RFC 4291, 2.5.5.2): networks nest exactly as these ranges do. */
export function boundsOf(network: Prefix): Bounds {
  const address = ipaddr.parse(networkAddress(network)).toByteArray();
  const first = Uint8Array.from(isV4(network) ? [...MAPPED, ...address] : address);
  const length = prefixLength(network) + (isV4(network) ? 8 * MAPPED.length : 0);
  const last = first.map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, length - i * 8))));
  return { first, last };
}

/** The network itself and all that contain it, narrowest first. */
export function covering(network: Prefix): readonly Prefix[] {
  const found: Prefix[] = [];
  for (let length = prefixLength(network); length >= 0; length--) {
    const wider = parsePrefix(`${networkAddress(network)}/${length}`);
    if (wider !== null) found.push(wider);
  }
  return found;
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
