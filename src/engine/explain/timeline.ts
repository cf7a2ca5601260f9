import { countedText } from "../../core/decide/decision.ts";
import { isReason, reasons } from "../../core/events/reasons.ts";
import { formatDuration, MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import type { EventItem, TimelineSource, TimelineStep } from "../../wire/control/items.ts";
import { settingsBehind } from "./prevented-by.ts";

/**
 * What happened, in the owner's terms: which program saw it, the evidence, what would lift it and which
 * settings would have prevented it. The command line, the API and the dashboard show the same. Oldest first.
 */
export function timelineOf(events: readonly EventItem[]): readonly TimelineStep[] {
  const inOrder = [...events].sort((a, b) => a.id - b.id);
  const retries = retriesIn(inOrder);
  return inOrder.map((event) => {
    const afterMs = retries.get(event.id);
    if (afterMs === undefined) return stepOf(event);
    const meaning = `The first mail from this sender to this recipient: it was deferred, and came again after ${roughly(afterMs)}.`;
    return { ...stepOf(event), meaning, lift: null };
  });
}

function roughly(ms: number): string {
  const unit = ms < 2 * MINUTE_MS ? SECOND_MS : MINUTE_MS;
  return formatDuration(Math.round(ms / unit) * unit);
}

/** Shorter than any pause between two tries of an honest server, and longer than one try. */
const LEAST_PAUSE_MS = 20_000;

/** How long after a greylisting event the same mail was retried, by the id of that event. */
function retriesIn(inOrder: readonly EventItem[]): ReadonlyMap<number, number> {
  const retries = new Map<number, number>();
  const next = new Map<string, number>();
  for (const { id, at, reason, sender, recipient } of inOrder.toReversed()) {
    if (sender === null || recipient === null || reason !== "greylist_asked") continue;
    const key = `${sender} ${recipient}`;
    const after = (next.get(key) ?? 0) - Date.parse(at);
    if (after >= LEAST_PAUSE_MS) retries.set(id, after);
    next.set(key, Date.parse(at));
  }
  return retries;
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
