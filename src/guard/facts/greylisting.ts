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
  /** Postgrey uses the machine's clock. With records from the future, it delays mail for as long as the clock was ahead. */
  isClockDoubtful: () => boolean;
}>;

/**
 * Knows what vouches for a mail: a provider, a correspondent, a recipient who waits for it. If something cannot be read, mail
 * is not delayed.
 */
export function createGreylisting(parts: GreylistingParts): Greylisting {
  const { policy, largeSenders, honest, correspondents, pauses, clock, isClockDoubtful } = parts;
  const isCorrespondent = (sender: string): boolean => sender !== "" && honest.hasWrittenTo(sender);
  /** Anyone can use a correspondent's address as the sender. It counts only if the client proved that it may send for it. */
  const isVouchedFor = ({ clientName, recipient, sender, senderProven }: Recipient): boolean =>
    isClockDoubtful() ||
    isProvider(policy(), clientName) ||
    isWithin(largeSenders(), clientName) ||
    (recipient !== null && pauses.isPaused(recipient, clock.now())) ||
    (senderProven === true && isCorrespondent(sender));
  return {
    isFirstContact: (event) => readOr(() => !isVouchedFor(event), false),
    isExpected: (event) => {
      const { recipient } = event;
      const domains = provenDomains(event);
      return recipient !== null && domains.length > 0 && readOr(() => correspondents.wroteTo(recipient, domains), true);
    },
    needsSenderProof: ({ sender, clientName }) =>
      readOr(() => isCorrespondent(sender) && !isProvider(policy(), clientName), false),
  };
}

/** A bounce has no sender, so the client's name counts. */
function provenDomains(event: Recipient): readonly string[] {
  const { sender, senderProven, clientName } = event;
  if (isBounce(event)) return clientName === null ? [] : domainsOf(clientName);
  return senderProven === true ? [domainOf(sender).toLowerCase()] : [];
}
