import type { RecipientKind } from "../../core/decide/facts.ts";
import type { Policy } from "../../core/decide/policy.ts";
import type { Recipient } from "../../core/events/mail.ts";
import type { RecipientDirectory } from "../ports.ts";

/** What kind of recipient this is. Other domains are unknown: whether to relay is Postfix's decision. */
export function kindOf(policy: Policy, directory: RecipientDirectory, { recipient }: Recipient): RecipientKind {
  if (recipient === null) return "known";
  const at = recipient.lastIndexOf("@");
  const local = recipient.slice(0, at).toLowerCase();
  if (at < 1 || !policy.domains.includes(recipient.slice(at + 1).toLowerCase())) return "known";
  try {
    if (directory.exists(recipient)) return "known";
  } catch {
    // A failed lookup is not the client's fault. Postfix asks the same database and defers.
    return "known";
  }
  return policy.blockedRecipients.includes(local) ? "blocked" : "unknown";
}
