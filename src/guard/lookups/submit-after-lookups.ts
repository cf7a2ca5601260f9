import { domainOf } from "../../core/net/address.ts";
import { type Ip, neighbourhoodOf, type Prefix } from "../../core/net/ip.ts";
import type { BlockLists, SenderDomains, SenderProofs } from "../network-ports.ts";
import type { Submit } from "../ports.ts";

/** The part of the engine that receives an event after the lookups. */
type EventSink = Readonly<{ submit: Submit; isProtected(ip: Ip): boolean }>;

/**
 * Waits for outside lookups before an event is decided. Block lists are asked about a stranger as soon as its
 * connection is accepted, so that the answer is available at its first recipient.
 */
export function submitAfterLookups(
  sink: EventSink,
  blockLists: BlockLists,
  domains: SenderDomains,
  proofs: SenderProofs,
): Submit {
  return (event, answer) => {
    if (event.type === "CONNECT" && event.service === "smtp") {
      sink.submit(event, (decided) => {
        if (decided.verdict === "pass" && !sink.isProtected(event.ip)) void blockLists.ask(event.ip);
        answer(decided);
      });
    } else if (event.type === "RECIPIENT" && event.service === "smtp" && event.account === null) {
      if (sink.isProtected(event.ip)) return sink.submit(event, answer);
      const { ip, sender } = event;
      const asked = [
        blockLists.ask(ip),
        // The null sender of a bounce has no domain. Postfix itself refuses other senders without one (reject_non_fqdn_sender).
        sender.includes("@") ? domains.exists(domainOf(sender).toLowerCase(), ip) : Promise.resolve(null),
        proofs.prove(event),
      ] as const;
      void Promise.all(asked).then(([blockListing, senderExists, senderProven]) =>
        sink.submit({ ...event, blockListing, senderExists, senderProven }, answer),
      );
    } else sink.submit(event, answer);
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
