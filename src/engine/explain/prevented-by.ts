import type { Reason } from "../../core/events/reasons.ts";
import type { SettingKey } from "../../settings/schema.ts";

const MAIL_LIMITS: readonly SettingKey[] = ["limits.mail.per_minute", "limits.mail.per_hour", "limits.mail.per_day"];
const LOGIN_LIMITS: readonly SettingKey[] = ["limits.logins.failures", "limits.logins.window"];
const ACCOUNT_LIMITS: readonly SettingKey[] = [
  "limits.accounts.failures",
  "limits.accounts.window",
  "limits.accounts.known_for",
];
const NETWORK_LIMITS: readonly SettingKey[] = ["limits.networks.failures", "limits.networks.window"];
const NONE: readonly SettingKey[] = [];

/**
 * The settings by which the owner decides whether this happens at all. Of every reason, so that none is forgotten:
 * `NONE` where nothing was refused, where only the other side can mend it, or where a command does and no setting.
 */
export const PREVENTED_BY: Readonly<Record<Reason, readonly SettingKey[]>> = {
  connection_limit: ["limits.connections.per_minute", "limits.connections.per_hour"],
  mail_limit: MAIL_LIMITS,
  provider_busy: [...MAIL_LIMITS, "providers.domains"],
  wanted_busy: [...MAIL_LIMITS, "limits.connections.per_minute", "limits.connections.per_hour"],
  known_address: [...MAIL_LIMITS, ...LOGIN_LIMITS],
  account_mail_limit: MAIL_LIMITS,
  session_limit: ["limits.mail.per_session"],
  block_listed: ["dnsbl.zones"],
  recipient_blocked: ["recipients.blocked"],
  recipient_probing: ["limits.recipients.unknown_per_hour"],
  bounces_deferred: ["limits.recipients.unknown_per_hour"],
  greylist_asked: ["greylist.enabled", "greylist.delay"],
  spam_refused: ["spam.refuse_score"],
  dmarc_refused: ["dkim.verify"],
  author_unclear: ["dkim.verify"],
  login_failures: LOGIN_LIMITS,
  repeated_password: ["limits.logins.window"],
  bans_used_up: LOGIN_LIMITS,
  guessing_slowed: [...LOGIN_LIMITS, "http.trusted_proxies"],
  account_guarded: ACCOUNT_LIMITS,
  right_password_guarded: ACCOUNT_LIMITS,
  network_guesses: [...NETWORK_LIMITS, "limits.accounts.known_for"],
  neighbours_banned: ["bans.neighbours", "bans.memory"],
  known_network: [...NETWORK_LIMITS, "bans.neighbours"],
  honest_network: [...NETWORK_LIMITS, "bans.neighbours"],
  jail_report: ["fail2ban.sentences", "fail2ban.enabled", "allow.networks"],
  outside_networks: ["logins.networks"],
  banned: ["bans.ladder", "allow.networks"],
  manual: ["bans.manual"],
  all_clients: ["http.trusted_proxies"],
  tls_failed: ["tls.profile"],
  postfix_limit: ["limits.connections.concurrent", "limits.mail.postfix_per_minute"],

  account_inactive: NONE,
  sender_unknown: NONE,
  recipient_unknown: NONE,
  bounce_recipients: NONE,
  judged_live: NONE,
  own_sender: NONE,
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
};
