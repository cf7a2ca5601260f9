import type { Recipient } from "../events/mail.ts";
import { isProvider } from "../net/provider.ts";
import type { Millis } from "../time.ts";
import { type Decision, decision } from "./decision.ts";
import type { Facts } from "./facts.ts";
import type { Policy } from "./policy.ts";
import { reached } from "./windows.ts";

type Stranger = Pick<Facts, "known" | "isWanted" | "firstContact">;
export type HarvestQuestion = Stranger & Pick<Facts, "recipient" | "serverProbes" | "networkProbed">;
export type FirstContactQuestion = Stranger & Pick<Facts, "connections" | "newPlaces">;
export type MarkQuestion = Pick<Facts, "known" | "isWanted" | "isNewPlace" | "newPlaces">;

/**
 * Probing for recipients from many places, each below its own limit. Past the limit of the whole server, no
 * stranger learns whether a recipient exists. A network that asked for an unknown one is deferred for every recipient;
 * for other networks, an unknown recipient is answered like a first contact with a known one, by Postgrey. So honest
 * strangers, who ask for people who exist, still come in. Null: answered as ever. Retries count for no ban.
 */
export function decideHarvest(policy: Policy, facts: HarvestQuestion, event: Recipient, now: Millis): Decision | null {
  const evidence = reached(policy.serverProbes, facts.serverProbes, now);
  if (evidence === null || !isStranger(policy, facts, event)) return null;
  if (facts.networkProbed || !policy.greylist)
    return decision("defer", "recipients_deferred", { evidence, counted: false });
  return facts.recipient === "known" ? null : decision("pass", "recipient_hidden", { evidence, counted: false });
}

/** Mail from many places that write one mail each (snowshoe spam): first mails wait longer while they come. */
export function decideFirstContact(policy: Policy, facts: FirstContactQuestion, now: Millis): Decision {
  const evidence = reached(policy.firstContacts.limits, facts.newPlaces, now);
  if (evidence === null || facts.isWanted || hasWaited(policy, facts, now))
    return decision("pass", "greylist_asked", { counted: false });
  return decision("defer", "first_contacts_deferred", { evidence, counted: false });
}

/** Such a mail is accepted, and the spam filter gets a mark. Null: it does not come from such a place, or few of them write. */
export function markedInCrowd(policy: Policy, facts: MarkQuestion, now: Millis): Decision | null {
  const evidence = reached(policy.firstContacts.limits, facts.newPlaces, now);
  if (evidence === null || facts.known || !facts.isNewPlace || facts.isWanted) return null;
  return decision("pass", "first_contacts_marked", { evidence });
}

/** Without greylisting no one looks up whom accounts wrote to. */
function isStranger(policy: Policy, facts: Stranger, { clientName }: Recipient): boolean {
  if (facts.known || facts.isWanted) return false;
  return policy.greylist ? facts.firstContact : !isProvider(policy, clientName);
}

function hasWaited(
  { firstContacts: { delayMs } }: Policy,
  { connections }: FirstContactQuestion,
  now: Millis,
): boolean {
  const [first] = connections;
  return first !== undefined && first <= now - delayMs;
}
