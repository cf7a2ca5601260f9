/** The groups of event types, with their titles in the docs. */
const KINDS = {
  connection: "Connections",
  mail: "Mail, as the guard decides it",
  login: "Sign-ins",
  report: "Reports of Fail2ban",
  command: "Bans and commands",
  log: "What only logs tell",
} as const;

export type EventOutcome = "success" | "failure" | "unknown";
/** The categories and types of the Elastic Common Schema 8, as in `iam: user creation`. */
type Classes = `${string}: ${string}`;

export type EventMeaning = Readonly<{
  kind: keyof typeof KINDS;
  says: string;
  category: readonly string[];
  type: readonly string[];
  /** Null: it follows from the verdict. */
  outcome: EventOutcome | null;
}> &
  OfCommand;

type OfCommand = Readonly<{
  /** What the subject is: the name of an account, an alias, or a setting of an account that it describes. */
  of?: "account" | "alias" | "setting";
  /** Something was refused. */
  isRefusal?: true;
  /** Set for changes that a thief would make through the web: who may sign in, where mail goes, and what is sent or refused for a user. */
  alert?: WebAlert;
}>;

/** The alert about a change that was made through the web. */
export type WebAlert = Readonly<{
  /** Continues the name in the alert: `NAME (event 7): was removed, by WHO`. */
  says: string;
  /** Also alerts if users change their own mailbox. A thief with the password makes these changes first, because they outlast the theft. */
  byUser?: true;
  /** What the alert says if the guard made the change. */
  byGuard?: string;
  /**
   * How many changes of this type by the owner are reported one by one within a day. They are counted separately, so that imported
   * accounts, or vacation replies before holidays, crowd out no other change.
   */
  apart?: number;
  /** The alert repeats the event's subject; for an alias also its new targets. */
  isNamed?: true;
  /** Not critical from a new network, because people set it while they travel. */
  isUsualAway?: true;
}>;

/** Types that `Engine.audit` records. Bans and the allow list have their own events, which the audit keeps too (audited.ts). */
const AUDIT_EVENTS = {
  ACCOUNT_ADDED: ofAccount("An account was added.", "creation", { says: "was added", apart: 10 }),
  ACCOUNT_REMOVED: ofAccount("An account was removed.", "deletion", { says: "was removed" }),
  ACCOUNT_SUSPENDED: ofAccount("An account was suspended.", "change"),
  ACCOUNT_RESUMED: ofAccount("A suspended account may sign in again.", "change", { says: "may sign in again" }),
  ACCOUNT_RELEASED: ofAccount("The held mail of an account was released.", "change", {
    says: "had its held mail sent",
  }),
  HELD_MAIL_DROPPED: ofAccount("The held mail of an account was deleted.", "change"),
  /** The subject says which mails in the queue were chosen. */
  QUEUE_HELD: auditEvent("Mail in the queue was put on hold by hand.", "configuration: change"),
  QUEUE_RELEASED: auditEvent("Mail that was on hold by hand was released.", "configuration: change"),
  QUEUE_DELETED: auditEvent("Mail was deleted from the queue by hand.", "configuration: deletion"),
  PASSWORD_CHANGED: ofAccount("An account's password was changed.", "change", { says: "got a new password" }),
  NETWORKS_CHANGED: ofSetting("The networks from which an account may sign in changed.", {
    says: "may sign in now",
    isNamed: true,
  }),
  /** The subject names the account, and the time since which it first used the places. */
  PLACES_FORGOTTEN: auditEvent("Places of an account were forgotten.", "iam: user change"),
  QUOTA_CHANGED: ofSetting("An account's quota was changed.", { says: "has a new quota", isNamed: true }),
  LEGAL_HOLD_SET: ofAccount("An account's mail is under legal hold: retention removes none of it.", "change"),
  LEGAL_HOLD_LIFTED: ofAccount("An account's mail is no longer under legal hold.", "change"),
  MAIL_KEY_MADE: ofAccount("An account has its own key for its mail, which its password opens.", "change"),
  MAIL_KEYS_RECOVERED: ofAccount(
    "The owner's recovery key was used: an account's new password opens its earlier mail.",
    "change",
  ),
  ALIAS_ADDED: ofAlias("An alias was added.", "creation", "the alias was added"),
  ALIAS_REMOVED: ofAlias("An alias was removed.", "deletion", "the alias was removed"),
  ALIAS_BLOCKED: ofAlias("An alias was blocked: it accepts no mail.", "change", "the alias was blocked"),
  ALIAS_UNBLOCKED: ofAlias("An alias was unblocked: it accepts mail again.", "change", "the alias was unblocked"),
  APP_PASSWORD_MADE: ofSetting("An app password was created for a mail program.", {
    says: "got a password for a mail program",
    byUser: true,
  }),
  APP_PASSWORD_REMOVED: ofSetting("An app password was removed from an account."),
  FORWARDING_CHANGED: ofSetting(
    "The forwarding of an account's mail was set, ended, or paused because too much mail left through it.",
    {
      says: "its forwarding",
      byUser: true,
      byGuard:
        "too much mail left through its forward: for a while, mail for addresses that root has not set stays in its mailbox",
    },
  ),
  VACATION_CHANGED: ofSetting("An account's vacation reply was turned on, changed or turned off.", {
    says: "its vacation reply",
    byUser: true,
    apart: 20,
    isUsualAway: true,
  }),
  SPAM_ALLOW_ADDED: auditEvent("A sender was put on an account's list of allowed senders.", "configuration: creation"),
  SPAM_ALLOW_REMOVED: auditEvent(
    "A sender was removed from an account's list of allowed senders.",
    "configuration: deletion",
  ),
  TOKEN_CREATED: ofAdmin("A token of the API was created.", "creation"),
  TOKEN_REVOKED: ofAdmin("A token of the API was revoked.", "deletion"),
  /** The subject is the session's id, or says how many were ended. */
  SESSION_ENDED: ofAdmin("A session of the dashboard was ended, or all others were.", "end"),
  SESSION_PROVED: ofAdmin("The password was entered again in a session of the dashboard.", "info"),
  ADMIN_PASSWORD_CHANGED: ofAdmin("The dashboard's password was changed.", "change"),
  FACTOR_ADDED: ofAdmin("A second factor was added to the dashboard's sign-in.", "creation"),
  FACTOR_REMOVED: ofAdmin("A second factor of the dashboard's sign-in was removed.", "deletion"),
  SECOND_FACTOR_ASKED: ofAdmin("The dashboard's password was right in a new browser, but no code was given.", "info"),
  /** The password was right, but the code, or the other factor that the subject names, was not. */
  SECOND_FACTOR_FAILED: refusal(
    "The dashboard's password was right, but the second factor was wrong.",
    "iam: admin denied",
  ),
  RECOVERY_CODES_MADE: ofAdmin("New recovery codes of the dashboard were created.", "creation"),
  /** Used instead of a code of the app; the subject says how many are left. */
  RECOVERY_CODE_USED: ofAdmin("A recovery code of the dashboard was used.", "info"),
  PASSKEY_ADDED: ofAdmin("A passkey was added: it opens the dashboard.", "creation"),
  PASSKEY_REMOVED: ofAdmin("A passkey was removed: it no longer opens the dashboard.", "deletion"),
  PASSKEY_REFUSED: refusal("A passkey was refused: its counter went backwards, as a copy's does.", "iam: admin denied"),
  /** The subject says what was signed. */
  ACCESS_REVIEWED: ofAdmin("Someone reviewed who may do what, and signed the review.", "info"),
  /** The subject is the SHA-256 of its public half. */
  RECOVERY_KEY_MADE: ofAdmin("The owner's recovery key was made, which opens the mail of each account.", "creation"),
  SETTINGS_APPLIED: auditEvent("The settings were reloaded.", "configuration: change"),
  GREYLIST_PAUSED: auditEvent("Greylisting was paused for a recipient.", "configuration: change"),
  GREYLIST_RESUMED: auditEvent("Greylisting of a recipient was resumed.", "configuration: change"),
  BREAK_GLASS: auditEvent("Every ban was lifted, because the owner was locked out.", "configuration: admin change"),
  /** The subject lists what the firewall has accepted since. */
  FIREWALL_TRIED: ofFirewall("A trial of the strict firewall started; it ends unless confirmed."),
  FIREWALL_CONFIRMED: ofFirewall("The strict firewall was confirmed and stays in force."),
  FIREWALL_ROLLED_BACK: ofFirewall("The trial of the strict firewall was undone."),
  /** A step of an incident; the subject names the incident and says what was done. */
  INCIDENT: auditEvent("A step of an incident was carried out.", "configuration: admin info"),
  COMMAND_REFUSED: refusal("The web program exceeded what it is allowed to do.", "api: access denied"),
  CALLER_REFUSED: refusal(
    "A session or token requested a command that it may not run, or not without the password.",
    "api: access denied",
  ),
  EVENTS_AGGREGATED: auditEvent("The oldest events were aggregated by the hour.", "database: change"),
  /** The subject says what was found. */
  FIREWALL_LOST: auditEvent("Another program removed or changed the table of bans; it was rebuilt.", "network: change"),
  /** The subject names the ports. */
  PORTS_BLOCKED: auditEvent(
    "Another rule of the machine's firewall drops connections to a mail port, or no longer does.",
    "network: change",
  ),
  /** The subject says by how much, and how it ended. */
  CLOCK_JUMPED: auditEvent("The machine's clock was changed, or corrected again.", "host: change"),
} as const satisfies Readonly<Record<string, EventMeaning>>;
export type AuditType = keyof typeof AUDIT_EVENTS;

/**
 * Every event type with its properties. Names are public, in records and filters, and are never changed or reused. The docs, the exporters,
 * retention, the audit and the alerts about changes read this table.
 */
const EVENTS = {
  CONNECT: event("connection", "A client connected.", "network: connection allowed"),
  CONNECT_DEFERRED: event("connection", "A client was asked to connect again later.", "network: connection denied"),
  CONNECT_REFUSED: event("connection", "A connection was refused.", "network: connection denied"),
  RECIPIENT: event("mail", "A mail named a recipient, which was accepted.", "email: info allowed"),
  GREYLIST_ASKED: event(
    "mail",
    "A first contact: Postgrey decides whether the sender must try again later.",
    "email: info",
  ),
  EMAIL: event("mail", "A mail was started and counted.", "email: info allowed"),
  EMAIL_ACCEPTED: event(
    "mail",
    "A mail arrived completely and passed the guard; a filter may still refuse it.",
    "email: info allowed",
  ),
  EMAIL_HELD: event("mail", "A mail arrived completely and is held in the queue.", "email: info"),
  EMAIL_BLOCKED: event("mail", "A mail, or one of its recipients, was refused.", "email: info denied"),
  EMAIL_DEFERRED: event("mail", "A mail, or one of its recipients, must be retried later.", "email: info denied"),
  SPAM_SCORED: event("log", "The spam filter scored a mail.", "email: info"),
  EMAIL_QUEUED: event(
    "log",
    "Postfix has read the header of a mail, which a filter may still refuse.",
    "email: info",
    "success",
  ),
  EMAIL_DELIVERED: event("log", "A mail was delivered to one recipient.", "email: info"),
  EMAIL_DELAYED: event("log", "A delivery failed for now and is retried.", "email: info"),
  EMAIL_BOUNCED: event("log", "A delivery failed permanently.", "email: info"),
  BOUNCE_WITHHELD: event("log", "A bounce was not sent, because the sender is not proven.", "email: info"),
  SESSION_FAULT: event("log", "A client did something wrong in a session.", "network: protocol error", "failure"),
  TLS_FAILED: event("log", "No encrypted connection was established.", "network: protocol error", "failure"),
  LOGIN_SUCCEEDED: event("login", "Someone signed in.", "authentication: start", "success"),
  LOGIN_FAILED: event("login", "A sign-in failed.", "authentication: start", "failure"),
  LOGIN_DELAYED: event("login", "A sign-in was slowed down before its password was checked.", "authentication: start"),
  LOGIN_REFUSED: event(
    "login",
    "A sign-in was refused before its password was checked.",
    "authentication: start denied",
  ),
  JAIL_REPORTED: event(
    "report",
    "A jail of Fail2ban, or an intrusion detector, reported an address.",
    "intrusion_detection: info",
    "success",
  ),
  SPARED: event(
    "report",
    "A ban was decided but not made, because the address is protected.",
    "network intrusion_detection: allowed",
    "success",
  ),
  BAN: event("command", "An address or network was banned.", "network intrusion_detection: denied start", "success"),
  UNBAN: event("command", "A ban was lifted by hand.", "network intrusion_detection: allowed end", "success"),
  BAN_EXPIRED: event("command", "A ban ended.", "network intrusion_detection: allowed end", "success"),
  BAN_REFUSED: event(
    "command",
    "A ban was requested and refused, because its target is protected.",
    "network intrusion_detection: info",
  ),
  ALLOW_ADDED: event(
    "command",
    "An address or network was put on the allow list.",
    "configuration: change allowed",
    "success",
  ),
  ALLOW_REMOVED: event("command", "An entry was removed from the allow list.", "configuration: change", "success"),
  ALLOW_EXPIRED: event("command", "An entry of the allow list expired.", "configuration: change end", "success"),
  ...AUDIT_EVENTS,
} as const satisfies Readonly<Record<string, EventMeaning>>;

export type EventType = keyof typeof EVENTS;
export const EVENT_TYPES: readonly EventType[] = Object.keys(EVENTS).filter(
  (name): name is EventType => name in EVENTS,
);

export function meaningOf(type: EventType): EventMeaning {
  return EVENTS[type];
}

export function typesWhere(holds: (meaning: EventMeaning) => boolean): readonly EventType[] {
  return EVENT_TYPES.filter((type) => holds(EVENTS[type]));
}

/** Every type in its group, with its meaning. */
export function eventTypes(): readonly Readonly<{ type: EventType; group: string; says: string }>[] {
  return Object.entries(KINDS).flatMap(([kind, group]) =>
    typesWhere((meaning) => meaning.kind === kind).map((type) => ({ type, group, says: meaningOf(type).says })),
  );
}

function event(kind: EventMeaning["kind"], says: string, classes: Classes, outcome: EventOutcome | null = null) {
  const [category = "", type = ""] = classes.split(": ");
  return { kind, says, category: category.split(" "), type: type.split(" "), outcome } as const;
}

function auditEvent(says: string, classes: Classes, more: OfCommand = {}) {
  return { ...event("command", says, classes), ...more } as const;
}

function refusal(says: string, classes: Classes) {
  return auditEvent(says, classes, { isRefusal: true });
}

/** Of the strict firewall. */
function ofFirewall(says: string) {
  return auditEvent(says, "network configuration: admin change");
}

type Changed = "creation" | "change" | "deletion";

/** Of the dashboard's sign-in, sessions and tokens, and of what only the owner does. */
function ofAdmin(says: string, did: Changed | "end" | "info") {
  return auditEvent(says, `iam: admin ${did}`);
}

function ofAccount(says: string, changed: Changed, alert?: WebAlert) {
  return auditEvent(says, `iam: user ${changed}`, { of: "account", ...(alert && { alert }) });
}

function ofSetting(says: string, alert?: WebAlert) {
  return auditEvent(says, "iam: user change", { of: "setting", ...(alert && { alert }) });
}

function ofAlias(says: string, changed: Changed, alerts: string) {
  return auditEvent(says, `configuration: ${changed}`, { of: "alias", alert: { says: alerts, isNamed: true } });
}

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
