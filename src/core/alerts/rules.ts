import type { EventColumns, Shown } from "../events/columns.ts";
import { type EventType, isAdministrators, typesWhere } from "../events/event-types.ts";
import type { Reason } from "../events/reasons.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../time.ts";
import type { ConditionCode } from "./alerts.ts";

/** The fields of a committed event that alerts use. */
export type AlertEvent = Readonly<{
  id: number;
  /**
   * For a new token, a second factor or a passkey: its name; for applied settings: their keys; for networks and aliases the account or the
   * address, and the targets; for a failed delivery: the alias, or else the recipient.
   */
  subject: string | null;
  /** For a sign-in, even a failed one: whether the account had never signed in from this prefix. */
  isNewPlace: boolean;
  /**
   * For a sign-in that succeeded or lacked a code: whether the account had never signed in from this network (IPv4 /24, IPv6 /48). For a
   * change through the web: whether its maker first signed in there within the last day, or never. An account's first network is not new.
   */
  isNewNetwork: boolean;
  /** For a sign-in that succeeded: whether it is the account's first. */
  isFirst: boolean;
  /** Of a sign-in: whether the account exists, or has ever signed in. Strangers guess at names of missing accounts too. */
  isKnownAccount: boolean;
  /** Whether it counts towards a limit. A repeated password does not, whatever reason the event gives. */
  isCounted: boolean;
}> &
  Pick<EventColumns, "at" | "type" | "prefix" | "offence" | "count" | "limit" | "windowMs"> &
  Shown<Pick<EventColumns, "service" | "account" | "verdict" | "reason" | "limitKey" | "actor" | "proof">>;

/** The condition holds while this many matching events are within the window. */
export type EventRule = Readonly<{
  code: ConditionCode;
  windowMs: number;
  /** The detail says "25 failed sign-ins within 10m". */
  counted: string;
  matches: (event: AlertEvent) => boolean;
  /** Each network counts once. */
  distinct?: boolean;
}>;

/** A single event is enough. The condition holds for the account until none has occurred for `heldMs`. */
export type AccountRule = Readonly<{
  code: ConditionCode;
  heldMs: number;
  reasons: readonly Reason[];
  /** The detail says "sign-ins refused without a check, the last from …". */
  counted: string;
}>;

/** Mail that is refused before it is scored: `spam_refused` would count a mail twice. */
const SPAM: readonly Reason[] = ["dmarc_refused", "block_listed"];

export const eventRules = [
  {
    code: "failed_logins",
    windowMs: 10 * MINUTE_MS,
    counted: "failed sign-ins",
    matches: (event) => isFailure(event) && !isAdministrators(event.service, event.account),
  },
  {
    code: "dashboard_logins",
    windowMs: 10 * MINUTE_MS,
    counted: "failed sign-ins to the dashboard",
    matches: (event) => isFailure(event) && isAdministrators(event.service, event.account),
  },
  {
    code: "spraying",
    windowMs: HOUR_MS,
    counted: "sign-ins refused without a check",
    matches: ({ type, reason }) => type === "LOGIN_REFUSED" && reason === "spraying",
  },
  {
    code: "unusual_connections",
    windowMs: 10 * MINUTE_MS,
    counted: "addresses connected",
    matches: ({ type }) => type === "CONNECT" || type === "CONNECT_REFUSED" || type === "CONNECT_DEFERRED",
    distinct: true,
  },
  {
    code: "spam_volume",
    windowMs: HOUR_MS,
    counted: "mails were spam",
    matches: ({ type, verdict, reason }) =>
      (type === "SPAM_SCORED" && verdict === "mark") ||
      (type === "EMAIL_BLOCKED" && SPAM.some((code) => code === reason)),
  },
  {
    // The owner's own bans raise no alert; the audit records them.
    code: "many_bans",
    windowMs: HOUR_MS,
    counted: "addresses or networks banned",
    matches: ({ type, reason }) => type === "BAN" && reason !== "manual",
    distinct: true,
  },
  {
    code: "repeated_violations",
    windowMs: DAY_MS,
    counted: "addresses or networks banned again",
    matches: ({ type, offence }) => type === "BAN" && offence !== null && offence > 1,
    distinct: true,
  },
  {
    code: "web_overreach",
    windowMs: DAY_MS,
    counted: "commands that the web may not give",
    matches: ({ type }) => type === "COMMAND_REFUSED",
  },
] as const satisfies readonly EventRule[];

export type Thresholds = Readonly<Record<(typeof eventRules)[number]["code"] | "password_guessed", number>>;

export const accountRules: readonly AccountRule[] = [
  {
    code: "account_guarded",
    heldMs: HOUR_MS,
    reasons: ["account_guarded", "right_password_guarded"],
    counted: "sign-ins refused without a check",
  },
  {
    code: "right_password_refused",
    heldMs: HOUR_MS,
    reasons: ["right_password_guarded"],
    counted: "refused with what seems the right password",
  },
  {
    code: "known_address_capped",
    heldMs: DAY_MS,
    reasons: ["known_address_capped", "known_address_at_others", "local_guesses_refused"],
    counted: "sign-ins refused after too many wrong passwords",
  },
];

/** How long an account counts as being at its sending limit after the last mail that had to wait. */
export const SENDING_LIMITED_MS = HOUR_MS;

/** This many times the wrong passwords, from anywhere, make a right one from a new place suspicious too. */
export const SPREAD_FACTOR = 5;
/** How long a wrong password counts towards a guessed one. */
export const GUESSING_WINDOW_MS = HOUR_MS;
/** How long the alert about a guessed password lasts, unless the password is changed earlier. */
export const GUESSED_FOR_MS = DAY_MS;
export const LONGEST_WINDOW_MS = DAY_MS;

/** Changes to tokens, second factors, passkeys and the settings. Each is reported with its subject. */
export const OWNERS_CHANGES = [
  "TOKEN_CREATED",
  "SETTINGS_APPLIED",
  "FACTOR_ADDED",
  "FACTOR_REMOVED",
  "RECOVERY_CODES_MADE",
  "RECOVERY_CODE_USED",
  "PASSKEY_ADDED",
  "PASSKEY_REMOVED",
  "PASSKEY_REFUSED",
] as const satisfies readonly EventType[];

/** The event types that these rules use. */
export const ALERT_EVENT_TYPES: readonly EventType[] = [
  "CONNECT",
  "CONNECT_REFUSED",
  "CONNECT_DEFERRED",
  "EMAIL_BLOCKED",
  "EMAIL_DEFERRED",
  "EMAIL_HELD",
  "SPAM_SCORED",
  "EMAIL_BOUNCED",
  "BOUNCE_WITHHELD",
  "LOGIN_FAILED",
  "LOGIN_REFUSED",
  "LOGIN_SUCCEEDED",
  "BAN",
  "COMMAND_REFUSED",
  "SECOND_FACTOR_ASKED",
  "SECOND_FACTOR_FAILED",
  "ACCOUNT_SUSPENDED",
  "ADMIN_PASSWORD_CHANGED",
  ...OWNERS_CHANGES,
  ...typesWhere(({ alert }) => alert !== undefined),
];

/**
 * A sign-in refused without a check would have failed, so a guarded account does not hide an attack. Bans have their own rule. The same
 * wrong password again and again comes from a forgotten mail program, or from someone who wants to drown out other alerts.
 */
function isFailure(event: AlertEvent): boolean {
  if (isOutsideNetworks(event)) return false;
  if (event.type === "LOGIN_FAILED") return event.isCounted;
  return event.type === "LOGIN_REFUSED" && event.reason !== "banned";
}

/** Such a sign-in fails even with the right password, so it says nothing about guessing. */
export function isOutsideNetworks({ reason }: AlertEvent): boolean {
  return reason === "outside_networks";
}

/** Far above the average: at least `minimum`, and this many times the average. */
export function isSpike(count: number, usual: number, limits: Readonly<{ minimum: number; factor: number }>): boolean {
  return count >= limits.minimum && count >= usual * limits.factor;
}
