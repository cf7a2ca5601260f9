import { type Ip, neighbourhoodOf, type Prefix } from "../../core/net/ip.ts";

type LookupLimits = Readonly<{ deadlineMs: number; inFlight: number; inFlightOfNetwork: number }>;

/**
 * Looks up something about a client within the deadline, up to `inFlight` at the same time, and `inFlightOfNetwork` for one network (IPv4
 * /24, IPv6 /48): an attacker's domains may answer slowly. `otherwise`: the result if these bounds or the deadline are exceeded, or
 * if `isNeeded` says no, which is called only while there is room.
 */
export function limitedLookups<T>({ deadlineMs, inFlight, inFlightOfNetwork }: LookupLimits, otherwise: T) {
  /** The networks of running lookups. */
  const asking: Prefix[] = [];
  return (ip: Ip, look: () => Promise<T>, isNeeded: () => boolean = () => true): Promise<T> => {
    const network = neighbourhoodOf(ip, 48);
    const own = asking.filter((one) => one === network).length;
    if (asking.length >= inFlight || own >= inFlightOfNetwork || !isNeeded()) return Promise.resolve(otherwise);
    asking.push(network);
    const answer = look().finally(() => asking.splice(asking.indexOf(network), 1));
    return withDeadline(answer, deadlineMs, otherwise);
  };
}

/** The answer if it arrives in time, otherwise `otherwise`. The answer must not reject. */
export function withDeadline<T>(answer: Promise<T>, deadlineMs: number, otherwise: T): Promise<T> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(otherwise), deadlineMs);
    void answer.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
