import { parseAccountName } from "../net/address.ts";
import { DAY_MS, HOUR_MS } from "../time.ts";
import { type NoticeCode, notices } from "./notices.ts";

/** When each is sent: `critical` at any hour, `warning` outside quiet hours, `info` in a digest. */
export const SEVERITIES = ["info", "warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a message to the owner is about. */
export const ALERT_KINDS = ["opened", "resolved", "digest", "test"] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

export type ConditionText = Readonly<{
  severity: Severity;
  /** What happened. */
  says: string;
  /** Why it matters. */
  matters: string;
  /** What to do, with the command. */
  next: string;
}>;

const ASK_USER =
  "Ask the user. If it was not them, use `account passwd ADDRESS`, which also ends open sessions, or `account suspend ADDRESS`.";
const LET_IN =
  "`events --type LOGIN_REFUSED` shows the addresses; `allow add IP --for 1d` admits a user with a new password in a new place.";

/** All alerts except the notices. A code is never renamed or reused: receivers depend on them. */
export const conditions = {
  failed_logins: {
    severity: "warning",
    says: "Many sign-ins are failing.",
    matters: "Someone may be guessing passwords. Guessing from one address is banned automatically.",
    next: "`events --type LOGIN_FAILED` lists them; `why IP` shows what was decided about an address.",
  },
  dashboard_logins: {
    severity: "warning",
    says: "Sign-ins to the dashboard are failing.",
    matters: "An attacker who gets in controls the server.",
    next: "If it was not you: keep the dashboard off the internet (http.address); `admin passwd` sets a new password.",
  },
  password_guessed: {
    severity: "critical",
    says: "A sign-in succeeded after many wrong passwords.",
    matters: "The password was probably guessed. The attacker can read the mail and send spam in the user's name.",
    next: `${ASK_USER} If the account is admin, the dashboard's own, use \`admin passwd\`.`,
  },
  login_after_guesses: {
    severity: "critical",
    says: "A sign-in succeeded from a place where sign-ins to other accounts had failed.",
    matters:
      "Someone who tries passwords at many accounts has probably found one. They can read the mail and send in the user's name.",
    next: ASK_USER,
  },
  login_new_place: {
    severity: "info",
    says: "An account signed in from a network where it was never used before.",
    matters: "Either the user is travelling or has a new connection, or someone has the password.",
    next: "If the user does not know the place, use `account passwd ADDRESS`.",
  },
  spraying: {
    severity: "warning",
    says: "Many networks are guessing many accounts' passwords.",
    matters:
      "Until they stop, only a password that looks right is checked in new places. Users can sign in from anywhere.",
    next: LET_IN,
  },
  known_address_capped: {
    severity: "warning",
    says: "Too many wrong passwords came from an address that an account knows, or from this machine.",
    matters:
      "Someone behind this address is guessing, or a device or program there has been taken over. Only a password that looks right is checked there now.",
    next: "Ask the user whose address it is; `why IP` shows what was tried. `allow add IP --for 1d` lifts the limit, except for this machine, its gateway and proxies.",
  },
  account_guarded: {
    severity: "warning",
    says: "Many addresses are guessing an account's password.",
    matters:
      "Until they stop, only a password that looks right is checked in new places. The user can sign in from anywhere.",
    next: LET_IN,
  },
  right_password_refused: {
    severity: "critical",
    says: "A sign-in with what seems to be the right password was refused.",
    matters:
      "After too many guesses at the account within a day, new places are refused without a check, even if the password looks right. Either the user is locked out there, or someone knows the password.",
    next: "If it was the user, `allow add IP --for 1d`; otherwise `account passwd ADDRESS`.",
  },
  account_held: {
    severity: "critical",
    says: "The mail of an account is held.",
    matters:
      "The account wrote to many new recipients, or many refused its mail. Someone may have its password and send spam. None of its mail leaves until you decide.",
    next: "`account held ADDRESS` shows the mail; ask the user. If they wrote it, `account release ADDRESS`. Otherwise `account suspend ADDRESS`, `account drop ADDRESS`, then `account passwd ADDRESS`, `account resume ADDRESS` and `account release ADDRESS`.",
  },
  sending_limited: {
    severity: "warning",
    says: "An account has reached its sending limit.",
    matters: "Further mail must wait. Either the user sends a lot of mail, or someone has the password.",
    next: "`account held ADDRESS` shows what it sent; raise limits.sending or limits.mail for its user, or use `account suspend ADDRESS`.",
  },
  unusual_connections: {
    severity: "warning",
    says: "Unusually many addresses connect at once.",
    matters: "This can be an attack from many machines, or a flood of spam.",
    next: "`stats` shows the busiest addresses; `ban NETWORK` blocks one.",
  },
  volume_spike: {
    severity: "warning",
    says: "Activity is far above normal.",
    matters: "This can be an attack, a flood of mail, or an account that sends spam. All limits still hold.",
    next: "`stats` shows what it is and where it comes from.",
  },
  spam_volume: {
    severity: "warning",
    says: "A lot of spam is arriving.",
    matters: "Marked spam fills the users' Junk, and some may arrive unmarked.",
    next: "`events --type SPAM_SCORED` and `events --type EMAIL_BLOCKED` show it; a lower spam.refuse_score refuses more.",
  },
  many_bans: {
    severity: "warning",
    says: "Many addresses were banned within a short time.",
    matters: "An attack is under way. If your own users are among them, a limit is too low.",
    next: "`bans` lists them with their reasons; `unban IP` lifts one.",
  },
  repeated_violations: {
    severity: "info",
    says: "Addresses that had been banned came back and were banned again.",
    matters: "They will not stop on their own.",
    next: "`bans` lists them; `ban NETWORK --permanent` ends it; bans.permanent does so automatically.",
  },
  mail_undelivered: {
    severity: "warning",
    says: "Accepted mail could not be delivered: a mailbox, or the server of an alias target or alert address, refused it or took too long.",
    matters: "The recipient does not get it. The sender gets a report only if SPF proves the sender.",
    next: "`events --type EMAIL_BOUNCED` shows the answers; if a target no longer exists, remove the alias and add it again with the others. Alerts need an address in `alerts.email` that accepts them.",
  },
  web_overreach: {
    severity: "critical",
    says: "The web program exceeded what it is allowed to do.",
    matters:
      "This almost never happens in normal use: someone has probably taken over the program behind the dashboard and the API.",
    next: "`events --type COMMAND_REFUSED` shows what it asked for. Keep the dashboard off the internet (http.address), check `token list`, use `token revoke`, then update.",
  },
  web_token: {
    severity: "warning",
    says: "An API token was created through the dashboard.",
    matters:
      "It is valid until it expires or is revoked, even after a password change. If you did not create it, someone has your session, or has taken over the program behind the dashboard.",
    next: "`token list` shows its rights. If it was not you: `incident open TITLE`, then `incident contain --tokens --dashboard`.",
  },
  web_account: {
    severity: "warning",
    says: "An account or an alias was changed through the dashboard or My mailbox.",
    matters:
      "An account or an alias gives access to its mail. If it was neither you nor the user, someone has that session and password, or has taken over the program behind the dashboard.",
    next: "`account list` shows the accounts, `audit list` what was done. If it was not you: `incident open TITLE`, then `incident contain --tokens --dashboard ACCOUNT`.",
  },
  web_factor: {
    severity: "warning",
    says: "A second factor of the dashboard's sign-in was set up, renewed or removed.",
    matters: "It decides who can open the dashboard. If it was not you, someone has your session and your password.",
    next: "If it was not you: `incident open TITLE`, then `incident contain --tokens --dashboard`, which removes every second factor too.",
  },
  recovery_code_used: {
    severity: "warning",
    says: "Someone signed in to the dashboard with a recovery code in place of the authenticator app.",
    matters: "The code is used up. If it was not you, someone has your password and your list of codes.",
    next: "If it was not you: `admin passwd` and `admin reset-2fa`. If the phone is lost, set up another one.",
  },
  second_factor_guessed: {
    severity: "critical",
    says: "Someone entered the dashboard's password, then wrong codes.",
    matters: "Unless you mistyped them, someone has your password, and only the second factor keeps them out.",
    next: "If it was not you, set a new password with `admin passwd`; see docs/dashboard.md.",
  },
  password_without_code: {
    severity: "warning",
    says: "Someone entered the dashboard's password, but no code, from a network new to it.",
    matters:
      "If you are not signing in there yourself, someone has your password, and only the second factor keeps them out.",
    next: "If it was not you, set a new password with `admin passwd`; see docs/dashboard.md.",
  },
  web_settings: {
    severity: "warning",
    says: "Settings were changed through the dashboard.",
    matters:
      "Limits may be looser than you think. If it was not you, someone has your session and your password, or has taken over the program behind the dashboard.",
    next: "`events --type SETTINGS_APPLIED` shows each value before and after; the Settings page undoes the last change for 15 minutes, `config set` later. If it was not you: `incident open TITLE`, then `incident contain --dashboard --tokens`.",
  },
  web_passkey: {
    severity: "warning",
    says: "A passkey of the dashboard was added or removed.",
    matters:
      "A passkey opens the dashboard without the password, even after a password change. If it was not you, someone has your session and your password or passkey.",
    next: "System › Security shows the passkeys. If it was not you: `incident open TITLE`, then `incident contain --tokens --dashboard`.",
  },
  web_new_network: {
    severity: "critical",
    says: "Something was changed through the dashboard or My mailbox from a network that was never used there before.",
    matters:
      "Either you or the user is travelling or has a new connection, or someone has the password or the session and wants to keep access.",
    next: "If it was not you: `incident open TITLE`, then `incident contain --tokens --dashboard`, with the account if the alert names one. `audit list` shows what was done.",
  },
  passkey_copied: {
    severity: "critical",
    says: "A passkey of the dashboard was refused, because its counter went backwards.",
    matters: "The guard has already seen a later signature, so there is a copy: someone may have cloned your key.",
    next: "Remove the passkey on the dashboard, System › Security, and end all other sessions there: the copy may have signed in. Then add a passkey from a key that you trust.",
  },
  component_down: {
    severity: "critical",
    says: "A part of the server is not running.",
    matters:
      "Without Postfix, Dovecot or Rspamd, mail cannot be received or sent; without any other part, its protection is missing.",
    next: "`status` shows what runs; the logs are below log/ in the data directory.",
  },
} as const satisfies Record<string, ConditionText>;

export type ConditionCode = keyof typeof conditions;
/** A notice is an alert while it is raised. */
export type AlertCode = ConditionCode | NoticeCode;

/** A notice that is not listed here is a warning. */
const NOTICE_SEVERITY: Partial<Record<NoticeCode, Severity>> = {
  database_unwritable: "critical",
  database_unflushed: "critical",
  database_locked: "critical",
  sign_ins_blocked: "critical",
  mail_unencrypted: "critical",
  recovery_key_missing: "critical",
  mail_key_unseen: "critical",
  domain_missing: "critical",
  database_set_aside: "critical",
  database_unsaved: "critical",
  disk_read_only: "critical",
  disk_full: "critical",
  disk_nearly_full: "critical",
  keeper_unreachable: "critical",
  settings_unread: "critical",
  tracking_full: "critical",
  certificate_unknown: "critical",
  certificate_expired: "critical",
  ports_blocked: "critical",
  mail_unstored: "critical",
  relay_refuses: "critical",
  dns_failing: "critical",
  audit_broken: "critical",
  isolation_broken: "critical",
  connections_uncounted: "info",
  events_aggregated: "info",
};

/** Changes through the web, which the owner or a thief may have made. From a network that is new to its maker it is `web_new_network`. */
export const WEB_CHANGES: readonly AlertCode[] = [
  "web_token",
  "web_factor",
  "web_account",
  "web_settings",
  "web_passkey",
];

/** Signs of a theft that last a day, and that no later event ends. */
export const SIGNS_OF_THEFT: readonly AlertCode[] = [
  "web_new_network",
  "web_overreach",
  "passkey_copied",
  "password_without_code",
  "second_factor_guessed",
];

/** Critical, but about an account or a session: people must act, although the server is healthy. */
const OF_ACCOUNTS: readonly AlertCode[] = [
  "password_guessed",
  "login_after_guesses",
  "right_password_refused",
  "account_held",
  "passkey_copied",
  "second_factor_guessed",
  "web_new_network",
];

/**
 * More than a few of these within an hour are sent as one digest, because an attack on many accounts raises one for each account, and a
 * broken network one for each check. Excludes `password_guessed` and `login_after_guesses`, after which a thief may already read mail.
 */
export const OF_MANY: readonly AlertCode[] = [
  "check_failed",
  "account_held",
  "sending_limited",
  "account_guarded",
  "right_password_refused",
  "known_address_capped",
  "mail_undelivered",
];

/** The end of these alerts is reported at once, because they do not come and go. */
export const END_AT_ONCE: readonly AlertCode[] = ["password_guessed", "login_after_guesses", "account_held"];

/** Shown for a fixed time, whatever the owner does, because the thief may still have access afterwards, or the failure may persist. */
const SHOWN_FOR_A_TIME: readonly AlertCode[] = [
  ...WEB_CHANGES,
  ...SIGNS_OF_THEFT,
  "recovery_code_used",
  "right_password_refused",
  "known_address_capped",
  "sending_limited",
  "mail_undelivered",
];

/** These end by the owner's decision, or after a day. */
const DECIDED_OR_TIMED: readonly AlertCode[] = ["password_guessed", "login_after_guesses", "login_new_place"];

/** Whether the alert ended because its time was up, so that the owner may still have to act. */
export function endedByTime(code: AlertCode, lastedMs: number): boolean {
  // An hour of slack: the day starts at the event, and the alert opens a little later.
  return SHOWN_FOR_A_TIME.includes(code) || (DECIDED_OR_TIMED.includes(code) && lastedMs >= DAY_MS - HOUR_MS);
}

/** Whether this means that the server is unhealthy. */
export function isServerIll(code: AlertCode): boolean {
  return alertText(code).severity === "critical" && !OF_ACCOUNTS.includes(code);
}

export function isCondition(code: string): code is ConditionCode {
  return Object.hasOwn(conditions, code);
}

export function isAlertCode(code: string): code is AlertCode {
  return isCondition(code) || Object.hasOwn(notices, code);
}

export function alertText(code: AlertCode): ConditionText {
  if (isCondition(code)) return conditions[code];
  // A notice explains its meaning in its first sentence.
  return { severity: NOTICE_SEVERITY[code] ?? "warning", matters: "", ...notices[code] };
}

/** Returns what to do. If the alert is about an account, the commands name it and can be copied; account names are safe in a shell. */
export function nextSteps({ next }: Pick<ConditionText, "next">, subject: string): string {
  const account = parseAccountName(subject);
  return account === null ? next : next.replaceAll(/(?<=`account [a-z]+ )ADDRESS\b/g, account);
}

/** A condition that holds now. `subject` names the component or account; empty if there is only one. */
export type Holding = Readonly<{ code: AlertCode; subject: string; detail: string }>;

/** The same condition of the same subject is one alert, however often it recurs. */
export function alertKey({ code, subject }: Pick<Holding, "code" | "subject">): string {
  return `${code} ${subject}`;
}
