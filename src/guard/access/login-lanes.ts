import { type Ip, neighbourhoodOf, type Prefix } from "../../core/net/ip.ts";

/**
 * The queue in which an attempt waits, such as that of its address or /64, or of one of the owner's browsers. `among`: the networks and
 * accounts whose shares the queue takes; empty if it is reserved.
 */
export type Lane = Readonly<{ name: string; among: readonly string[] }>;

/** The share of all queues that one network or account may take. A single IPv6 site has 65,536 /64s. */
const SHARE = 1 / 8;

export function laneOfStranger(ip: Ip, prefix: Prefix): Lane {
  return { name: prefix, among: [neighbourhoodOf(ip, 48)] };
}

/**
 * Runs one attempt at a time in each queue, so that none slips through between the question to the guard and its report. One more can
 * wait, so that a client that tries without pause cannot keep out another client in its network. `most`: the maximum number of queues that
 * are not reserved.
 */
export function createLoginLanes(most: number) {
  /** By queue: whose shares it takes, and the attempt that waits for the running one. */
  const running = new Map<string, { readonly among: Lane["among"]; next: (() => void) | null }>();
  /** Whether this queue is in use, or may be added. */
  const hasShare = ({ name, among }: Lane): boolean => {
    if (running.has(name) || among.length === 0) return true;
    const shared = [...running.values()].filter((one) => one.among.length > 0);
    const isUsedUp = (whose: string): boolean =>
      shared.filter((others) => others.among.includes(whose)).length >= most * SHARE;
    return shared.length < most && !among.some(isUsedUp);
  };
  return {
    hasShare,
    /** Does the work when its turn comes; `refused` if every place is taken. */
    inTurn: async <T>(lane: Lane, work: () => Promise<T>): Promise<T | "refused"> => {
      const before = running.get(lane.name);
      // Another attempt already waits, or no queue is left.
      const isFull = before === undefined ? !hasShare(lane) : before.next !== null;
      if (isFull) return "refused";
      const place = before ?? { among: lane.among, next: null };
      if (before === undefined) running.set(lane.name, place);
      else await new Promise<void>((resolve) => (before.next = resolve));
      try {
        return await work();
      } finally {
        const { next } = place;
        place.next = null;
        if (next === null) running.delete(lane.name);
        else next();
      }
    },
  };
}
