import type { Recipient } from "../events/mail.ts";
import { HOUR_MS, type Millis } from "../time.ts";
import { type Decision, decision, uncounted } from "./decision.ts";
import type { Facts } from "./facts.ts";
import { isProvider, type Policy } from "./policy.ts";
import { reached } from "./windows.ts";

/** Limits on strangers from anywhere together, each of whom stays below their own limits. */

/**
 * Probing for recipients from many places, each below its own limit. A network that asked for an unknown one (for three, if the client is a
 * wanted server) is deferred for every recipient. For other networks, Postgrey answers for an unknown recipient as it does for a first
 * contact with a known one, so mail from honest strangers still arrives. A second extension is deferred, because its usual reply shows that
 * the mailbox exists. Null if the usual rules apply. Retries never lead to a ban.
 */
export function decideProbingFromAnywhere(
  policy: Policy,
  facts: Facts,
  event: Recipient,
  now: Millis,
): Decision | null {
  const evidence = reached(policy.probesFromAnywhere, facts.probesFromAnywhere, now);
  if (evidence === null || !isUnvouchedFor(policy, facts, event)) return null;
  if (hasAskedForTooManyNames(facts) || facts.hasOtherExtension || !policy.greylist)
    return uncounted("defer", "recipients_deferred", { evidence });
  return facts.recipient === "exists" ? null : uncounted("pass", "recipient_hidden", { evidence });
}

/** Once a network has asked for this many unknown names, its wanted servers are deferred too. */
const NAMES_OF_WANTED = 3;

/** A mail to an outdated address, which is retried for days, must not keep out the other mail of a wanted server. */
function hasAskedForTooManyNames({ namesProbed, isWanted }: Facts): boolean {
  return namesProbed >= NAMES_OF_WANTED || (namesProbed > 0 && !isWanted);
}

/** Past the limit of first contacts (snowshoe spam: many addresses send one mail each), they are deferred for longer. */
export function decideFirstContact(policy: Policy, facts: Facts, now: Millis): Decision {
  const evidence = reached(policy.firstContacts.limits, facts.firstContactsFromAnywhere, now);
  const first = facts.connections.find((at) => at > now - HOUR_MS);
  // It connected within the hour and at least `delayMs` ago, so this counts as a retry.
  const hasWaited = first !== undefined && first <= now - policy.firstContacts.delayMs;
  if (evidence === null || facts.isWanted || hasWaited) return uncounted("pass", "greylist_asked");
  return uncounted("defer", "first_contacts_deferred", { evidence });
}

/** Past the limit of first contacts, their mail gets a header for the spam filter. Null unless this client is one of them. */
export function markFirstContact(policy: Policy, facts: Facts, now: Millis): Decision | null {
  const evidence = reached(policy.firstContacts.limits, facts.firstContactsFromAnywhere, now);
  if (evidence === null || facts.isKnown || !facts.isAmongFirstContacts || facts.isWanted) return null;
  return decision("pass", "first_contacts_marked", { evidence });
}

/**
 * Whether nothing vouches for the client. Being a wanted server is not enough: it takes only three days of honest mail, and must not reveal
 * which names exist. Without greylisting, correspondents are not looked up, so wanted servers and large providers are excepted instead.
 */
function isUnvouchedFor(policy: Policy, facts: Facts, { clientName }: Recipient): boolean {
  if (facts.isKnown) return false;
  return policy.greylist ? facts.isFirstContact : !facts.isWanted && !isProvider(policy, clientName);
}
