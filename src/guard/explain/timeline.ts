import type { EventItem, TimelineSource, TimelineStep } from "../../admin/declare/items.ts";
import { countedText } from "../../core/decide/decision.ts";
import { EVENT_TYPES, meaningOf } from "../../core/events/event-types.ts";
import { isReason, type Reason, reasons } from "../../core/events/reasons.ts";
import { span } from "../../core/time.ts";
import { isSettingKey, type SettingKey } from "../../settings/schema.ts";

const MAIL_LIMITS: readonly SettingKey[] = ["limits.mail.per_minute", "limits.mail.per_hour", "limits.mail.per_day"];
const CONNECTION_LIMITS: readonly SettingKey[] = ["limits.connections.per_minute", "limits.connections.per_hour"];
const FIRST_CONTACTS: readonly SettingKey[] = ["limits.first_contacts.per_minute", "limits.first_contacts.per_hour"];
const FAILURES: SettingKey = "limits.logins.failures";
const SENDING_LIMITS: readonly SettingKey[] = [
  "limits.sending.recipients_per_minute",
  "limits.sending.recipients_per_hour",
  "limits.sending.recipients_per_day",
];

/** Omits reasons for which nothing was refused, that only the other side can fix, or that a command controls. */
const PREVENTED_BY: Readonly<Partial<Record<Reason, readonly SettingKey[]>>> = {
  connection_limit: CONNECTION_LIMITS,
  mail_limit: MAIL_LIMITS,
  provider_busy: [...MAIL_LIMITS, ...CONNECTION_LIMITS, "limits.recipients.unknown_per_hour"],
  wanted_busy: [...MAIL_LIMITS, ...CONNECTION_LIMITS, "limits.recipients.unknown_per_hour"],
  known_address: [...MAIL_LIMITS, ...CONNECTION_LIMITS, FAILURES],
  account_mail_limit: MAIL_LIMITS,
  account_recipient_limit: SENDING_LIMITS,
  account_held: ["limits.sending.strangers", "limits.sending.strangers_per_day", "limits.sending.refused"],
  session_limit: ["limits.mail.per_session"],
  block_listed: ["dnsbl.zones"],
  recipient_blocked: ["recipients.blocked"],
  recipient_probing: ["limits.recipients.unknown_per_hour"],
  bounces_deferred: ["limits.recipients.unknown_per_hour", "limits.recipients.unknown_server_per_hour"],
  recipients_deferred: ["limits.recipients.unknown_server_per_hour"],
  recipient_hidden: ["limits.recipients.unknown_server_per_hour"],
  first_contacts_deferred: FIRST_CONTACTS,
  first_contacts_marked: FIRST_CONTACTS,
  greylist_asked: ["greylist.enabled", "greylist.delay"],
  spam_refused: ["spam.refuse_score"],
  filter_deferred: ["dkim.verify", "spam.on_failure"],
  dmarc_refused: ["dkim.verify"],
  author_unclear: ["dkim.verify"],
  login_failures: [FAILURES],
  bans_used_up: [FAILURES],
  guessing_slowed: [FAILURES],
  slow_guessing: ["limits.logins.per_day", "limits.logins.per_week"],
  pending_guesses: [FAILURES],
  account_guarded: ["limits.accounts.failures"],
  network_guesses_refused: ["limits.networks.per_day"],
  local_guesses_refused: ["limits.networks.per_day"],
  spraying: ["limits.spraying.guesses"],
  known_address_capped: ["limits.logins.known_per_day"],
  known_address_at_others: [FAILURES],
  right_password_guarded: ["limits.accounts.candidates"],
  network_guesses: ["limits.networks.failures"],
  neighbours_banned: ["bans.neighbours"],
  known_network: ["limits.networks.failures", "bans.neighbours"],
  honest_network: [FAILURES, "limits.networks.failures", "bans.neighbours"],
  intrusion_report: ["detection.suricata.severity", "detection.suricata.maxretry", "allow.networks"],
  forgeable: ["detection.psad.bans"],
  jail_report: ["fail2ban.sentences", "fail2ban.enabled", "allow.networks"],
  outside_networks: ["logins.networks"],
  banned: ["bans.ladder", "allow.networks"],
  all_clients: ["http.trusted_proxies", "proxy.networks"],
  tls_failed: ["tls.profile"],
  too_large: ["limits.mail.max_size"],
  postfix_limit: ["limits.connections.concurrent", "limits.mail.postfix_per_minute"],
};

/** The settings behind an event: the limit that it recorded, or all that apply to its reason. */
function settingsBehind(reason: Reason, { limitKey }: Pick<EventItem, "limitKey">): readonly SettingKey[] {
  return limitKey !== null && isSettingKey(limitKey) ? [limitKey] : (PREVENTED_BY[reason] ?? []);
}

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
    const meaning = `A stranger's mail: it was deferred, and retried after ${span(afterMs)}.`;
    return { ...stepOf(event), meaning, lift: null };
  });
}

/** Shorter than any pause between two tries of an honest server, and longer than one try. */
const LEAST_PAUSE_MS = 20_000;

/**
 * How long after a greylisting event the same mail was retried, by the id of that event. Postgrey's answer is not an event, but mail that
 * it accepted reaches DATA in the same try.
 */
function retriesIn(inOrder: readonly EventItem[]): ReadonlyMap<number, number> {
  const retries = new Map<number, number>();
  const next = new Map<string, number>();
  const passed = new Map<string, number>();
  for (const { id, at, type, ip, reason, sender, recipient } of inOrder.toReversed()) {
    const time = Date.parse(at);
    const [mail, several] = [`${sender} to ${recipient}`, `${sender} from ${ip}`];
    if (type === "EMAIL") passed.set(recipient === null ? several : mail, time);
    if (sender === null || recipient === null || reason !== "greylist_asked") continue;
    const passedAt = Math.min(...[mail, several].map((key) => passed.get(key) ?? Number.POSITIVE_INFINITY));
    const after = (next.get(mail) ?? 0) - time;
    if (after >= LEAST_PAUSE_MS && passedAt - time >= LEAST_PAUSE_MS) retries.set(id, after);
    next.set(mail, time);
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

function sourceOf({ type, service, verdict, reason }: EventItem): TimelineSource {
  const known = EVENT_TYPES.find((one) => one === type);
  switch (known && meaningOf(known).kind) {
    case "connection":
    case "mail":
      return "smtp";
    case "login":
      return service === "dashboard" ? "web" : "login";
    case "log":
      if (type === "SPAM_SCORED") return "spam";
      if (type === "SESSION_FAULT" || type === "TLS_FAILED") return service === "imap" ? "login" : "smtp";
      return "delivery";
    case "report":
      // SPARED has a verdict if Fail2ban made a report, and none if a ban was skipped.
      if (type === "SPARED") return verdict === null ? "firewall" : "fail2ban";
      return reason === "intrusion_report" || reason === "below_limit" ? "detector" : "fail2ban";
    default:
      return ["BAN", "UNBAN", "BAN_EXPIRED", "BAN_REFUSED"].includes(type) ? "firewall" : "administrator";
  }
}
