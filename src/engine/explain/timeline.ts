import { countedText } from "../../core/decide/decision.ts";
import { isReason, reasons } from "../../core/events/reasons.ts";
import type { EventItem, TimelineSource, TimelineStep } from "../../wire/control/items.ts";
import { settingsBehind } from "./prevented-by.ts";

/**
 * What happened, in terms that the owner understands: which program saw it, the evidence, what would lift it and which
 * settings would have prevented it. The command line, the API and the dashboard show the same. Oldest first.
 */
export function timelineOf(events: readonly EventItem[]): readonly TimelineStep[] {
  return [...events].sort((a, b) => a.id - b.id).map(stepOf);
}

function stepOf(event: EventItem): TimelineStep {
  const { reason, count, limit, windowMs } = event;
  const known = isReason(reason) ? reason : null;
  const evidence = count === null || limit === null || windowMs === null ? "" : countedText({ count, limit, windowMs });
  const next = known === null ? null : reasons[known].next;
  return {
    ...event,
    source: sourceOf(event),
    evidence,
    meaning: known === null ? event.action : reasons[known].says,
    lift: next === null || next.startsWith("Nothing to do.") ? null : next,
    settings: known === null ? [] : settingsBehind(known, event),
  };
}

/** From the type's public name, which is never reused, the service and the reason. */
function sourceOf({ type, service, verdict, reason }: EventItem): TimelineSource {
  switch (type) {
    case "CONNECT":
    case "CONNECT_DEFERRED":
    case "CONNECT_REFUSED":
    case "RECIPIENT":
    case "GREYLIST_ASKED":
    case "EMAIL":
    case "EMAIL_ACCEPTED":
    case "EMAIL_BLOCKED":
    case "EMAIL_DEFERRED":
      return "smtp";
    case "SESSION_FAULT":
    case "TLS_FAILED":
      return service === "imap" ? "login" : "smtp";
    case "SPAM_SCORED":
      return "spam";
    case "EMAIL_QUEUED":
    case "EMAIL_DELIVERED":
    case "EMAIL_DELAYED":
    case "EMAIL_BOUNCED":
    case "BOUNCE_WITHHELD":
      return "delivery";
    case "LOGIN_SUCCEEDED":
    case "LOGIN_FAILED":
    case "LOGIN_DELAYED":
    case "LOGIN_REFUSED":
      return service === "dashboard" ? "web" : "login";
    case "JAIL_REPORTED":
      return reason === "intrusion_report" || reason === "below_limit" ? "detector" : "fail2ban";
    case "BAN":
    case "UNBAN":
    case "BAN_EXPIRED":
    case "BAN_REFUSED":
      return "firewall";
    case "SPARED":
      // With a verdict: a report of Fail2ban. Without: a ban that was not made.
      return verdict === null ? "firewall" : "fail2ban";
    default:
      return "administrator";
  }
}
