/** Every public name of an event, in records and filters. A name is never changed or reused. */
export const EVENT_TYPES = [
  "CONNECT",
  "CONNECT_DEFERRED",
  "CONNECT_REFUSED",
  "RECIPIENT",
  "GREYLIST_ASKED",
  "EMAIL",
  "EMAIL_ACCEPTED",
  "EMAIL_HELD",
  "EMAIL_BLOCKED",
  "EMAIL_DEFERRED",
  "SPAM_SCORED",
  "EMAIL_QUEUED",
  "EMAIL_DELIVERED",
  "EMAIL_DELAYED",
  "EMAIL_BOUNCED",
  "BOUNCE_WITHHELD",
  "SESSION_FAULT",
  "TLS_FAILED",
  "LOGIN_SUCCEEDED",
  "LOGIN_FAILED",
  "LOGIN_DELAYED",
  "LOGIN_REFUSED",
  "JAIL_REPORTED",
  "SPARED",
  "BAN",
  "UNBAN",
  "BAN_EXPIRED",
  "BAN_REFUSED",
  "ALLOW_ADDED",
  "ALLOW_REMOVED",
  "ALLOW_EXPIRED",
  "ACCOUNT_ADDED",
  "ACCOUNT_REMOVED",
  "ACCOUNT_SUSPENDED",
  "ACCOUNT_RESUMED",
  "ACCOUNT_RELEASED",
  "HELD_MAIL_DROPPED",
  "QUEUE_HELD",
  "QUEUE_RELEASED",
  "QUEUE_DELETED",
  "PASSWORD_CHANGED",
  "APP_PASSWORD_MADE",
  "APP_PASSWORD_REMOVED",
  "FORWARDING_CHANGED",
  "VACATION_CHANGED",
  "NETWORKS_CHANGED",
  "QUOTA_CHANGED",
  "LEGAL_HOLD_SET",
  "LEGAL_HOLD_LIFTED",
  "MAIL_KEY_MADE",
  "MAIL_KEYS_RECOVERED",
  "ALIAS_ADDED",
  "ALIAS_REMOVED",
  "ALIAS_BLOCKED",
  "ALIAS_UNBLOCKED",
  "SPAM_ALLOW_ADDED",
  "SPAM_ALLOW_REMOVED",
  "TOKEN_CREATED",
  "TOKEN_REVOKED",
  "SESSION_ENDED",
  "SESSION_PROVED",
  "ADMIN_PASSWORD_CHANGED",
  "FACTOR_ADDED",
  "FACTOR_REMOVED",
  "SECOND_FACTOR_ASKED",
  "SECOND_FACTOR_FAILED",
  "RECOVERY_CODES_MADE",
  "RECOVERY_CODE_USED",
  "PASSKEY_ADDED",
  "PASSKEY_REMOVED",
  "PASSKEY_REFUSED",
  "ACCESS_REVIEWED",
  "RECOVERY_KEY_MADE",
  "SETTINGS_APPLIED",
  "GREYLIST_PAUSED",
  "GREYLIST_RESUMED",
  "BREAK_GLASS",
  "FIREWALL_TRIED",
  "FIREWALL_CONFIRMED",
  "FIREWALL_ROLLED_BACK",
  "INCIDENT",
  "COMMAND_REFUSED",
  "CALLER_REFUSED",
  "EVENTS_AGGREGATED",
  "FIREWALL_LOST",
  "PORTS_BLOCKED",
  "CLOCK_JUMPED",
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** The changes and reads in the audit, in addition to bans and lists. */

/** Changes to an account, which is the subject. */
export const ACCOUNT_CHANGES = [
  "ACCOUNT_ADDED",
  "ACCOUNT_REMOVED",
  "ACCOUNT_SUSPENDED",
  "ACCOUNT_RESUMED",
  /** Its owner vouched for it: its held mail goes out. */
  "ACCOUNT_RELEASED",
  "HELD_MAIL_DROPPED",
  "PASSWORD_CHANGED",
  "LEGAL_HOLD_SET",
  "LEGAL_HOLD_LIFTED",
  /** Its own key for new mail, which the password opens. */
  "MAIL_KEY_MADE",
  /** With the owner's recovery key: the password opens what an earlier one did. */
  "MAIL_KEYS_RECOVERED",
] as const;
/** Changes to an alias, which is the subject. */
export const ALIAS_CHANGES = ["ALIAS_ADDED", "ALIAS_REMOVED", "ALIAS_BLOCKED", "ALIAS_UNBLOCKED"] as const;
/** All changes about an account. The subject of those of app passwords names both. */
export const CHANGES_OF_ACCOUNTS = [
  ...ACCOUNT_CHANGES,
  "APP_PASSWORD_MADE",
  "APP_PASSWORD_REMOVED",
  "FORWARDING_CHANGED",
  "VACATION_CHANGED",
  "NETWORKS_CHANGED",
  "QUOTA_CHANGED",
  ...ALIAS_CHANGES,
] as const;
export type AuditType =
  | (typeof CHANGES_OF_ACCOUNTS)[number]
  /** Of mails in the queue; the subject says which were chosen. */
  | "QUEUE_HELD"
  | "QUEUE_RELEASED"
  | "QUEUE_DELETED"
  | "SPAM_ALLOW_ADDED"
  | "SPAM_ALLOW_REMOVED"
  | "TOKEN_CREATED"
  | "TOKEN_REVOKED"
  /** Of the dashboard; the subject is its id, or says how many were ended. */
  | "SESSION_ENDED"
  /** The password was given again, or a passkey used; the subject is the session's id. */
  | "SESSION_PROVED"
  | "ADMIN_PASSWORD_CHANGED"
  /** Of the dashboard's sign-in; the subject names it. */
  | "FACTOR_ADDED"
  | "FACTOR_REMOVED"
  /** The password was right, and no code came with it, from a browser that never signed in. */
  | "SECOND_FACTOR_ASKED"
  /** The password was right, and the code, or what else the subject names, was not. */
  | "SECOND_FACTOR_FAILED"
  /** New ones, in place of the former. */
  | "RECOVERY_CODES_MADE"
  /** Instead of a code of the app; the subject says how many are left. */
  | "RECOVERY_CODE_USED"
  | "PASSKEY_ADDED"
  | "PASSKEY_REMOVED"
  /** Its counter went back: there must be a copy of it. */
  | "PASSKEY_REFUSED"
  /** The subject says what was signed. */
  | "ACCESS_REVIEWED"
  /** The subject is the SHA-256 of its public half. */
  | "RECOVERY_KEY_MADE"
  | "SETTINGS_APPLIED"
  | "GREYLIST_PAUSED"
  | "GREYLIST_RESUMED"
  | "BREAK_GLASS"
  /** Of the strict firewall; the subject lists what it accepts since. */
  | "FIREWALL_TRIED"
  | "FIREWALL_CONFIRMED"
  | "FIREWALL_ROLLED_BACK"
  /** A step of an incident; the subject names the incident and says what was done. */
  | "INCIDENT"
  /** The origin may not use this verb, which is the subject. */
  | "COMMAND_REFUSED"
  /** The session or token may not use this verb, which is the subject, or not without a fresh proof. */
  | "CALLER_REFUSED"
  | "EVENTS_AGGREGATED"
  /** The subject says what was found. */
  | "FIREWALL_LOST"
  /** The subject names the ports. */
  | "PORTS_BLOCKED"
  /** The subject says how far, and what became of it. */
  | "CLOCK_JUMPED";

/** What was refused. */
export const REFUSALS = [
  "COMMAND_REFUSED",
  "CALLER_REFUSED",
  "SECOND_FACTOR_FAILED",
  "PASSKEY_REFUSED",
] as const satisfies readonly AuditType[];

/** The service that an event came through. */
export const SERVICES = ["smtp", "submission", "submissions", "imap", "sieve", "dashboard"] as const;
export type Service = (typeof SERVICES)[number];

/**
 * Whether a sign-in is the administrator's, whose name has no domain. Users of mailboxes sign in to the dashboard by their
 * address, and are judged there as at their mailbox.
 */
export function isAdministrators(service: string | null, name: string | null): boolean {
  return service === "dashboard" && name?.includes("@") !== true;
}
