import { MINUTE_MS } from "../time.ts";

/**
 * The first packets of connections (SYN) from the network to one of our ports, since the last check or since the table was created.
 * `offered`: accepted by our rules. `arrived`: accepted by other programs' rules too.
 */
export type Passed = Readonly<{ offered: number; arrived: number }>;

/** What is known about a port. `lost`: packets in a row that did not arrive. `looks`: how many checks found some, the last at `lastAt`. */
export type PortPassage = Readonly<{ lost: number; looks: number; lastAt: number | null }>;

/**
 * One client repeats its packet five times within half a minute, or seven times within two (tcp_syn_retries, tcp(7)). A rule that rightly
 * drops one client must not count as one that closes the port, so this many packets of several attempts are needed.
 */
const MANY = 20;
/** A rule that only slows clients down accepts some packets between two checks. */
const LOOKS = 2;
/** After this time without a packet nothing is known about the port, because the rule may be gone. */
const FORGOTTEN_MS = 5 * MINUTE_MS;

const NOTHING: PortPassage = { lost: 0, looks: 0, lastAt: null };

/** `before`: null at the first check, whose packets do not count. */
export function afterLook(before: PortPassage | null, { offered, arrived }: Passed, nowMs: number): PortPassage {
  if (before === null || arrived > 0) return NOTHING;
  if (offered > 0) return { lost: before.lost + offered, looks: before.looks + 1, lastAt: nowMs };
  return before.lastAt === null || nowMs - before.lastAt >= FORGOTTEN_MS ? NOTHING : before;
}

/** Whether something behind our rules drops everything that comes to the port. */
export function isBlocked({ lost, looks }: PortPassage): boolean {
  return lost >= MANY && looks >= LOOKS;
}
