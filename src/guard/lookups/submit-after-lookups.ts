import { domainOf } from "../../core/net/address.ts";
import type { Ip } from "../../core/net/ip.ts";
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
