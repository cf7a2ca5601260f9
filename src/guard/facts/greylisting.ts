import { isProvider, isWithin, type Policy } from "../../core/decide/policy.ts";
import { readOr } from "../../core/error.ts";
import { isBounce, type Recipient } from "../../core/events/mail.ts";
import { domainOf, domainsOf } from "../../core/net/address.ts";
import type { Clock, FirstContacts } from "../ports.ts";
import type { Correspondents, GreylistPauses, HonestMail } from "../storage-ports.ts";

export interface Greylisting extends FirstContacts {
  /** Whether a sender that SPF proves is treated differently: `isFirstContact`, `isExpected`. */
  needsSenderProof(event: Recipient): boolean;
}

export type GreylistingParts = Readonly<{
  policy: () => Policy;
  /** Domains of further large senders: `greylist.providers`. */
  largeSenders: () => readonly string[];
  honest: Pick<HonestMail, "hasWrittenTo">;
  correspondents: Correspondents;
  pauses: GreylistPauses;
  clock: Clock;
  /** Postgrey uses the machine's clock: with records from a wrong time it delays mail for as long as the clock was ahead. */
  isClockDoubtful: () => boolean;
}>;

/**
 * Knows what vouches for a mail: a provider, a correspondent, a recipient who waits for it. If something cannot be read, mail
 * is not delayed.
 */
export function createGreylisting(parts: GreylistingParts): Greylisting {
  return {
    isFirstContact: (event) => readOr(() => !skipsGreylisting(parts, event), false),
    isExpected: (event) => {
      const { recipient } = event;
      const domains = provenDomains(event);
      return (
        recipient !== null && domains.length > 0 && readOr(() => parts.correspondents.wroteTo(recipient, domains), true)
      );
    },
    needsSenderProof: (event) =>
      readOr(() => isCorrespondent(parts, event) && !isProvider(parts.policy(), event.clientName), false),
  };
}

/** Anyone can use a correspondent's address as the sender. It counts only if the client proved that it may send for it. */
function skipsGreylisting(parts: GreylistingParts, event: Recipient): boolean {
  const { policy, largeSenders, pauses, clock, isClockDoubtful } = parts;
  return (
    isClockDoubtful() ||
    isProvider(policy(), event.clientName) ||
    isWithin(largeSenders(), event.clientName) ||
    (event.recipient !== null && pauses.isPaused(event.recipient, clock.now())) ||
    (event.senderProven === true && isCorrespondent(parts, event))
  );
}

function isCorrespondent({ honest }: GreylistingParts, { sender }: Recipient): boolean {
  return sender !== "" && honest.hasWrittenTo(sender);
}

/** A bounce has no sender, so the client's name counts. */
function provenDomains(event: Recipient): readonly string[] {
  const { sender, senderProven, clientName } = event;
  if (isBounce(event)) return clientName === null ? [] : domainsOf(clientName);
  return senderProven === true ? [domainOf(sender).toLowerCase()] : [];
}
