import { RECORDED_VERDICTS, type RecordedVerdict, type ShownEvent } from "./columns.ts";
import { EVENT_TYPES, type EventType } from "./event-types.ts";
import { bareMessageId } from "./queue-id.ts";

/** The files of this folder. */
export const KINDS = ["connection", "mail", "login", "report", "command", "log"] as const;

/** The values of the Elastic Common Schema 8 (event.category, event.type, event.outcome) that events here use. */
type Category =
  | "authentication"
  | "configuration"
  | "email"
  | "host"
  | "iam"
  | "intrusion_detection"
  | "network"
  | "session"
  | "api"
  | "database";
type Type =
  | "access"
  | "admin"
  | "allowed"
  | "change"
  | "connection"
  | "creation"
  | "deletion"
  | "denied"
  | "end"
  | "error"
  | "info"
  | "protocol"
  | "start"
  | "user";
type Outcome = "success" | "failure" | "unknown";

/** `outcome` null: it follows from the verdict. */
type EcsEvent = Readonly<{
  kind: (typeof KINDS)[number];
  says: string;
  category: readonly Category[];
  type: readonly Type[];
  outcome: Outcome | null;
}>;

const UNKNOWN: Pick<EcsEvent, "category" | "type" | "outcome"> = { category: [], type: [], outcome: null };

type Classified = readonly [category: readonly Category[], type: readonly Type[], outcome?: Outcome | null];

const mail = ["email"] as const;
const login = ["authentication"] as const;
const ban = ["network", "intrusion_detection"] as const;
const account = ["iam"] as const;
const settings = ["configuration"] as const;

/** Every event type, its meaning, and its fields in the Elastic Common Schema. The docs and exporters read this. */
export const ECS_EVENTS: Readonly<Record<EventType, EcsEvent>> = {
  CONNECT: event("connection", "A client connected.", [["network"], ["connection", "allowed"]]),
  CONNECT_DEFERRED: event("connection", "A client was asked to connect again later.", [
    ["network"],
    ["connection", "denied"],
  ]),
  CONNECT_REFUSED: event("connection", "A connection was refused.", [["network"], ["connection", "denied"]]),
  RECIPIENT: event("mail", "A mail named a recipient, which was accepted.", [mail, ["info", "allowed"]]),
  GREYLIST_ASKED: event("mail", "A first contact: Postgrey decides whether the sender must try again later.", [
    mail,
    ["info"],
  ]),
  EMAIL: event("mail", "A mail was started and counted.", [mail, ["info", "allowed"]]),
  EMAIL_ACCEPTED: event("mail", "A mail arrived completely and was accepted.", [mail, ["info", "allowed"]]),
  EMAIL_HELD: event("mail", "A mail arrived completely and is held in the queue.", [mail, ["info"]]),
  EMAIL_BLOCKED: event("mail", "A mail, or one of its recipients, was refused.", [mail, ["info", "denied"]]),
  EMAIL_DEFERRED: event("mail", "A mail, or one of its recipients, must be retried later.", [mail, ["info", "denied"]]),
  SPAM_SCORED: event("log", "The spam filter scored a mail.", [mail, ["info"]]),
  EMAIL_QUEUED: event("log", "A mail entered the queue.", [mail, ["info"], "success"]),
  EMAIL_DELIVERED: event("log", "A mail was delivered to one recipient.", [mail, ["info"]]),
  EMAIL_DELAYED: event("log", "A delivery failed for now and is retried.", [mail, ["info"]]),
  EMAIL_BOUNCED: event("log", "A delivery failed for good.", [mail, ["info"]]),
  BOUNCE_WITHHELD: event("log", "A bounce was not sent, because the sender is not proven.", [mail, ["info"]]),
  SESSION_FAULT: event("log", "A client did something wrong in a session.", [
    ["network"],
    ["protocol", "error"],
    "failure",
  ]),
  TLS_FAILED: event("log", "No encrypted connection was established.", [["network"], ["protocol", "error"], "failure"]),
  LOGIN_SUCCEEDED: event("login", "Somebody signed in.", [login, ["start"], "success"]),
  LOGIN_FAILED: event("login", "A sign-in failed.", [login, ["start"], "failure"]),
  LOGIN_DELAYED: event("login", "A sign-in was slowed down before its password was checked.", [login, ["start"]]),
  LOGIN_REFUSED: event("login", "A sign-in was refused before its password was checked.", [login, ["start", "denied"]]),
  JAIL_REPORTED: event("report", "A jail of Fail2ban, or a detector of intrusions, reported an address.", [
    ["intrusion_detection"],
    ["info"],
    "success",
  ]),
  SPARED: event("report", "A ban was decided but not made, because the address is protected.", [
    ban,
    ["allowed"],
    "success",
  ]),
  BAN: event("command", "An address or network was banned.", [ban, ["denied", "start"], "success"]),
  UNBAN: event("command", "A ban was lifted by hand.", [ban, ["allowed", "end"], "success"]),
  BAN_EXPIRED: event("command", "A ban ended.", [ban, ["allowed", "end"], "success"]),
  BAN_REFUSED: event("command", "A ban was requested and refused, because its target is protected.", [ban, ["info"]]),
  ALLOW_ADDED: event("command", "An address or network was put on the allow list.", [
    settings,
    ["change", "allowed"],
    "success",
  ]),
  ALLOW_REMOVED: event("command", "An entry was removed from the allow list.", [settings, ["change"], "success"]),
  ALLOW_EXPIRED: event("command", "An entry of the allow list expired.", [settings, ["change", "end"], "success"]),
  ACCOUNT_ADDED: event("command", "An account was added.", [account, ["user", "creation"]]),
  ACCOUNT_REMOVED: event("command", "An account was removed.", [account, ["user", "deletion"]]),
  ACCOUNT_SUSPENDED: event("command", "An account was suspended.", [account, ["user", "change"]]),
  ACCOUNT_RESUMED: event("command", "A suspended account may sign in again.", [account, ["user", "change"]]),
  ACCOUNT_RELEASED: event("command", "The held mail of an account was released.", [account, ["user", "change"]]),
  HELD_MAIL_DROPPED: event("command", "The held mail of an account was deleted.", [account, ["user", "change"]]),
  QUEUE_HELD: event("command", "Mail in the queue was put on hold by hand.", [settings, ["change"]]),
  QUEUE_RELEASED: event("command", "Mail that was on hold by hand was released.", [settings, ["change"]]),
  QUEUE_DELETED: event("command", "Mail was deleted from the queue by hand.", [settings, ["deletion"]]),
  PASSWORD_CHANGED: event("command", "An account's password was changed.", [account, ["user", "change"]]),
  APP_PASSWORD_MADE: event("command", "An app password was created for a mail program.", [account, ["user", "change"]]),
  APP_PASSWORD_REMOVED: event("command", "An app password was removed from an account.", [account, ["user", "change"]]),
  FORWARDING_CHANGED: event(
    "command",
    "Mail for an account is now forwarded to other addresses, or no longer forwarded.",
    [account, ["user", "change"]],
  ),
  VACATION_CHANGED: event("command", "An account's vacation reply was turned on, changed or turned off.", [
    account,
    ["user", "change"],
  ]),
  NETWORKS_CHANGED: event("command", "The networks from which an account may sign in changed.", [
    account,
    ["user", "change"],
  ]),
  QUOTA_CHANGED: event("command", "An account's quota was changed.", [account, ["user", "change"]]),
  LEGAL_HOLD_SET: event("command", "An account's mail is under legal hold: retention removes none of it.", [
    account,
    ["user", "change"],
  ]),
  LEGAL_HOLD_LIFTED: event("command", "An account's mail is no longer under legal hold.", [
    account,
    ["user", "change"],
  ]),
  MAIL_KEY_MADE: event("command", "An account has its own key for its mail, which its password opens.", [
    account,
    ["user", "change"],
  ]),
  MAIL_KEYS_RECOVERED: event(
    "command",
    "The owner's recovery key was used: an account's new password opens its earlier mail.",
    [account, ["user", "change"]],
  ),
  ALIAS_ADDED: event("command", "An alias was added.", [settings, ["creation"]]),
  ALIAS_REMOVED: event("command", "An alias was removed.", [settings, ["deletion"]]),
  ALIAS_BLOCKED: event("command", "An alias was blocked: it accepts no mail.", [settings, ["change"]]),
  ALIAS_UNBLOCKED: event("command", "An alias was unblocked: it accepts mail again.", [settings, ["change"]]),
  SPAM_ALLOW_ADDED: event("command", "An account exempted a sender from the spam filter.", [settings, ["creation"]]),
  SPAM_ALLOW_REMOVED: event("command", "An account no longer exempts a sender from the spam filter.", [
    settings,
    ["deletion"],
  ]),
  TOKEN_CREATED: event("command", "A token of the API was created.", [account, ["admin", "creation"]]),
  TOKEN_REVOKED: event("command", "A token of the API was revoked.", [account, ["admin", "deletion"]]),
  SESSION_ENDED: event("command", "A session of the dashboard was ended, or all others were.", [
    account,
    ["admin", "end"],
  ]),
  SESSION_PROVED: event("command", "The password was entered again in a session of the dashboard.", [
    account,
    ["admin", "info"],
  ]),
  ADMIN_PASSWORD_CHANGED: event("command", "The dashboard's password was changed.", [account, ["admin", "change"]]),
  FACTOR_ADDED: event("command", "A second factor was added to the dashboard's sign-in.", [
    account,
    ["admin", "creation"],
  ]),
  FACTOR_REMOVED: event("command", "A second factor of the dashboard's sign-in was removed.", [
    account,
    ["admin", "deletion"],
  ]),
  SECOND_FACTOR_ASKED: event("command", "The dashboard's password was right in a new browser, but no code was given.", [
    account,
    ["admin", "info"],
  ]),
  SECOND_FACTOR_FAILED: event("command", "The dashboard's password was right, but the second factor was wrong.", [
    account,
    ["admin", "denied"],
  ]),
  RECOVERY_CODES_MADE: event("command", "New recovery codes of the dashboard were created.", [
    account,
    ["admin", "creation"],
  ]),
  RECOVERY_CODE_USED: event("command", "A recovery code of the dashboard was used in place of the authenticator app.", [
    account,
    ["admin", "info"],
  ]),
  PASSKEY_ADDED: event("command", "A passkey was added: it opens the dashboard.", [account, ["admin", "creation"]]),
  PASSKEY_REMOVED: event("command", "A passkey was removed: it no longer opens the dashboard.", [
    account,
    ["admin", "deletion"],
  ]),
  PASSKEY_REFUSED: event(
    "command",
    "A passkey was refused: its counter went backwards, so there must be a copy of it.",
    [account, ["admin", "denied"]],
  ),
  ACCESS_REVIEWED: event("command", "Somebody reviewed who may do what, and signed the review.", [
    account,
    ["admin", "info"],
  ]),
  RECOVERY_KEY_MADE: event("command", "The owner's recovery key was made, which opens the mail of each account.", [
    account,
    ["admin", "creation"],
  ]),
  SETTINGS_APPLIED: event("command", "The settings were reloaded.", [settings, ["change"]]),
  GREYLIST_PAUSED: event("command", "Greylisting was paused for a recipient.", [settings, ["change"]]),
  GREYLIST_RESUMED: event("command", "Greylisting of a recipient was resumed.", [settings, ["change"]]),
  BREAK_GLASS: event("command", "Every ban was lifted, because the owner was locked out.", [
    settings,
    ["admin", "change"],
  ]),
  FIREWALL_TRIED: event("command", "A trial of the strict firewall started; it ends unless confirmed.", [
    ["network", "configuration"],
    ["admin", "change"],
  ]),
  FIREWALL_CONFIRMED: event("command", "The strict firewall was confirmed and stays in force.", [
    ["network", "configuration"],
    ["admin", "change"],
  ]),
  FIREWALL_ROLLED_BACK: event("command", "The trial of the strict firewall was undone.", [
    ["network", "configuration"],
    ["admin", "change"],
  ]),
  INCIDENT: event("command", "A step of an incident was carried out.", [settings, ["admin", "info"]]),
  COMMAND_REFUSED: event("command", "The web program requested a command that it is not allowed to run.", [
    ["api"],
    ["access", "denied"],
  ]),
  CALLER_REFUSED: event(
    "command",
    "A session or token requested a command that it is not allowed to run, or not without the password.",
    [["api"], ["access", "denied"]],
  ),
  EVENTS_AGGREGATED: event("command", "The oldest events were aggregated by the hour to stay within the limits.", [
    ["database"],
    ["change"],
  ]),
  FIREWALL_LOST: event("command", "Another program removed or changed the table of bans; it was rebuilt.", [
    ["network"],
    ["change"],
  ]),
  PORTS_BLOCKED: event(
    "command",
    "Another rule of the machine's firewall drops connections to a mail port, or no longer does.",
    [["network"], ["change"]],
  ),
  CLOCK_JUMPED: event("command", "The machine's clock was changed, or corrected again.", [["host"], ["change"]]),
};

type EcsKey = Exclude<keyof ShownEvent, "type" | "details" | "action">;

/**
 * The field for each of them. Data without a field in the schema goes below `ghostinbox.`, as the schema asks of
 * products. For a command, the actor is the user, and the account is the one that changed.
 */
export const ECS_FIELDS: Readonly<Record<EcsKey, string>> = {
  id: "event.id",
  at: "@timestamp",
  service: "service.name",
  ip: "source.ip",
  account: "user.name",
  sender: "email.from.address",
  recipient: "email.to.address",
  queueId: "email.local_id",
  messageId: "email.message_id",
  helo: "ghostinbox.helo",
  sizeBytes: "ghostinbox.size",
  verdict: "ghostinbox.verdict",
  reason: "rule.name",
  offence: "ghostinbox.offence",
  count: "ghostinbox.limit.count",
  limit: "ghostinbox.limit.most",
  windowMs: "ghostinbox.limit.window_ms",
  limitKey: "ghostinbox.limit.setting",
  simulated: "labels.simulated",
  actor: "user.name",
};

export const ECS_KEYS: readonly EcsKey[] = [
  "id",
  "at",
  "service",
  "ip",
  "account",
  "sender",
  "recipient",
  "queueId",
  "messageId",
  "helo",
  "sizeBytes",
  "verdict",
  "reason",
  "offence",
  "count",
  "limit",
  "windowMs",
  "limitKey",
  "simulated",
  "actor",
];

/** The version of the schema. */
const ECS_VERSION = "8.11.0";

/** The fields of one event, by their dotted names. An event type that this version does not know has no category. */
export function ecsOf(source: ShownEvent): EcsFields {
  const known = EVENT_TYPES.find((type) => type === source.type);
  const classified = known === undefined ? UNKNOWN : ECS_EVENTS[known];
  const { category, type: types, outcome } = source.simulated === null ? classified : withoutDenial(classified);
  const { id, type, actor, account: named, messageId, verdict, details, action } = source;
  const values = {
    ...source,
    id: String(id),
    messageId: messageId === null ? null : bareMessageId(messageId),
    account: actor === null ? named : null,
  };
  const fields = ECS_KEYS.flatMap((key) => {
    const value = values[key];
    return value === null ? [] : [[ECS_FIELDS[key], value] as const];
  });
  return {
    ...Object.fromEntries(fields),
    "ecs.version": ECS_VERSION,
    message: [action, details].filter((text) => text !== "").join(": "),
    "event.module": "ghostinbox",
    "event.kind": "event",
    "event.code": type,
    "event.action": ecsAction(type),
    "event.category": category,
    "event.type": types,
    "event.outcome": outcome ?? outcomeOf(verdict),
    ...(actor !== null && named !== null && { "user.target.name": named }),
  };
}

/** A simulated ban or refusal denied nothing. */
function withoutDenial(classified: typeof UNKNOWN): typeof UNKNOWN {
  if (!classified.type.includes("denied")) return classified;
  const { category, type } = classified;
  return { category, type: ["info", ...type.filter((one) => one !== "denied" && one !== "info")], outcome: "unknown" };
}

export type EcsFields = Readonly<Record<string, string | number | readonly string[]>>;

/** `EMAIL_BLOCKED` is `email-blocked`. */
export function ecsAction(type: string): string {
  return type.toLowerCase().replaceAll("_", "-");
}

/** For event types whose outcome follows from the verdict. */
export const ECS_OUTCOMES: Readonly<Record<RecordedVerdict, Outcome>> = {
  pass: "success",
  delay: "unknown",
  hold: "unknown",
  defer: "failure",
  refuse: "failure",
  mark: "success",
  lose: "failure",
  withhold: "failure",
};

function outcomeOf(verdict: string | null): Outcome {
  const known = RECORDED_VERDICTS.find((one) => one === verdict);
  return known === undefined ? "unknown" : ECS_OUTCOMES[known];
}

function event(kind: EcsEvent["kind"], says: string, [category, type, outcome = null]: Classified): EcsEvent {
  return { kind, says, category, type, outcome };
}
