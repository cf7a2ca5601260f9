import type { Reason } from "../../core/events/reasons.ts";
import { isSettingKey, type SettingKey } from "../../settings/schema.ts";
import type { EventItem } from "../../wire/control/items.ts";

const MAIL_LIMITS: readonly SettingKey[] = ["limits.mail.per_minute", "limits.mail.per_hour", "limits.mail.per_day"];
const CONNECTION_LIMITS: readonly SettingKey[] = ["limits.connections.per_minute", "limits.connections.per_hour"];
const FIRST_CONTACTS: readonly SettingKey[] = ["limits.first_contacts.per_minute", "limits.first_contacts.per_hour"];
const FAILURES: SettingKey = "limits.logins.failures";
const SENDING_LIMITS: readonly SettingKey[] = [
  "limits.sending.recipients_per_minute",
  "limits.sending.recipients_per_hour",
  "limits.sending.recipients_per_day",
];
const NONE: readonly SettingKey[] = [];

/**
 * The settings that control each outcome, for every reason. `NONE` if nothing was refused, if only the other side can
 * fix it, or if a command controls it instead of a setting.
 */
export const PREVENTED_BY: Readonly<Record<Reason, readonly SettingKey[]>> = {
  connection_limit: CONNECTION_LIMITS,
  mail_limit: MAIL_LIMITS,
  provider_busy: [...MAIL_LIMITS, ...CONNECTION_LIMITS, "limits.recipients.unknown_per_hour"],
  wanted_busy: [...MAIL_LIMITS, ...CONNECTION_LIMITS],
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
  header_lines: NONE,
  mime_parts: NONE,
  filter_refused: NONE,
  filter_deferred: ["spam.on_failure"],
  dmarc_refused: ["dkim.verify"],
  author_unclear: ["dkim.verify"],
  login_failures: [FAILURES],
  bans_used_up: [FAILURES],
  guessing_slowed: [FAILURES],
  slow_guessing: ["limits.logins.per_day", "limits.logins.per_week"],
  pending_guesses: [FAILURES],
  account_guarded: ["limits.accounts.failures"],
  network_guesses_refused: ["limits.networks.per_day"],
  spraying: ["limits.spraying.guesses"],
  known_address_capped: ["limits.logins.known_per_day"],
  known_address_at_others: [FAILURES],
  right_password_guarded: ["limits.accounts.candidates"],
  network_guesses: ["limits.networks.failures"],
  neighbours_banned: ["bans.neighbours"],
  known_network: ["limits.networks.failures", "bans.neighbours"],
  honest_network: ["limits.networks.failures", "bans.neighbours"],
  intrusion_report: ["detection.suricata.severity", "detection.suricata.maxretry", "allow.networks"],
  forgeable: ["detection.psad.bans"],
  jail_report: ["fail2ban.sentences", "fail2ban.enabled", "allow.networks"],
  outside_networks: ["logins.networks"],
  banned: ["bans.ladder", "allow.networks"],
  all_clients: ["http.trusted_proxies", "proxy.networks"],
  tls_failed: ["tls.profile"],
  postfix_limit: ["limits.connections.concurrent", "limits.mail.postfix_per_minute"],

  account_inactive: NONE,
  right_password_inactive: NONE,
  sender_unknown: NONE,
  recipient_unknown: NONE,
  bounce_recipients: NONE,
  judged_live: NONE,
  own_sender: NONE,
  repeated_password: NONE,
  author_not_own: NONE,
  lost_connection: NONE,
  timed_out: NONE,
  too_many_errors: NONE,
  pipelining: NONE,
  auth_not_offered: NONE,
  malformed_command: NONE,
  relay_refused: NONE,
  helo_refused: NONE,
  sender_refused: NONE,
  loopback: NONE,
  own_address: NONE,
  gateway: NONE,
  allow_listed: NONE,
  admin_session: NONE,
  below_limit: NONE,
  report_seen: NONE,
  report_late: NONE,
  unseen_login_failure: NONE,
  signed_in: NONE,
  not_banned: NONE,
  not_listed: NONE,
  not_recorded: NONE,
  expired: NONE,
  manual: NONE,
};

/** The settings behind an event: the limit that it recorded, or all that apply to its reason. */
export function settingsBehind(reason: Reason, { limitKey }: Pick<EventItem, "limitKey">): readonly SettingKey[] {
  return limitKey !== null && isSettingKey(limitKey) ? [limitKey] : PREVENTED_BY[reason];
}
