import { isProvider, isWithin, type Policy } from "../../core/decide/policy.ts";
import type { Recipient } from "../../core/events/mail.ts";
import { domainsOf } from "../../core/net/address.ts";
import type { Clock, FirstContacts } from "../ports.ts";
import type { Correspondents, GreylistPauses } from "../storage-ports.ts";

export interface Greylisting extends FirstContacts {
  /** Whether it is a first contact unless SPF proves the sender. */
  dependsOnSenderProof(event: Recipient): boolean;
}

export type GreylistingParts = Readonly<{
  policy: () => Policy;
  /** Domains of further large senders: `greylist.providers`. */
  largeSenders: () => readonly string[];
  correspondents: Correspondents;
  pauses: GreylistPauses;
  clock: Clock;
  /** Postgrey uses the machine's clock: with records from a wrong time it delays mail for as long as the clock was ahead. */
  isClockDoubtful?: () => boolean;
}>;

/**
 * Distinguishes first contacts from known ones, for which greylisting only delays mail. If something cannot be read, mail is
 * not delayed.
 */
export function createGreylisting(parts: GreylistingParts): Greylisting {
  return {
    isFirstContact: (event) => {
      try {
        return !isExpected(parts, event);
      } catch {
        return false;
      }
    },
    expectsBounce: ({ recipient, clientName }) => {
      try {
        return (
          recipient !== null && clientName !== null && parts.correspondents.wroteTo(recipient, domainsOf(clientName))
        );
      } catch {
        return true;
      }
    },
    dependsOnSenderProof: (event) => {
      try {
        return isCorrespondent(parts, event) && !isExpected(parts, { ...event, senderProven: false });
      } catch {
        return false;
      }
    },
  };
}

/** Anyone can use a correspondent's address as the sender. It counts only if the client proved that it may send for it. */
function isExpected(parts: GreylistingParts, event: Recipient): boolean {
  const { policy, largeSenders, pauses, clock, isClockDoubtful } = parts;
  return (
    isClockDoubtful?.() === true ||
    isProvider(policy(), event.clientName) ||
    isWithin(largeSenders(), event.clientName) ||
    (event.recipient !== null && pauses.isPaused(event.recipient, clock.now())) ||
    (event.senderProven === true && isCorrespondent(parts, event))
  );
}

function isCorrespondent({ correspondents }: GreylistingParts, { sender }: Recipient): boolean {
  return sender !== "" && correspondents.isCorrespondent(sender);
}
