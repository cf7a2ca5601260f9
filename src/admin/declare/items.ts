import type { Role, Scope } from "../../core/access/scopes.ts";
import type { NoticeCode } from "../../core/alerts/notices.ts";
import type { Ban } from "../../core/decide/decision.ts";
import type { ShownEvent } from "../../core/events/columns.ts";
import type { Protection } from "../../core/events/reasons.ts";
import { isoTime } from "../../core/time.ts";
import type { AccountRow, AccountState } from "../accounts.ts";
import type { AllowItem, BanItem } from "../bans.ts";
import type { Page } from "./paging.ts";

/** The data of every interface: the command line's --json, the API, the dashboard. Times are ISO 8601 UTC. */

export type EventItem = ShownEvent;

export type TopIp = Readonly<{ ip: string; mails: number; connections: number; rejected: number }>;

/** What is known of one address, for `why`. */
export type AddressReport = Readonly<{
  ban: BanItem | null;
  pastBans: readonly (BanItem & Readonly<{ endedAt: string | null; ended: string | null }>)[];
  offencesInMemory: number;
  allowed: AllowItem | null;
  knownAccounts: readonly string[];
  /** The full counts of lists that are cut: `pastBans` shows the newest, `knownAccounts` is ordered by name. */
  totals: Readonly<{ pastBans: number; knownAccounts: number }>;
  events: readonly EventItem[];
}>;

export type TimelineSource =
  | "smtp"
  | "login"
  | "spam"
  | "delivery"
  | "web"
  | "fail2ban"
  | "detector"
  | "firewall"
  | "administrator";
/** An event, explained. */
export type TimelineStep = EventItem &
  Readonly<{
    source: TimelineSource;
    /** `5 within 10m, limit 5`; empty where nothing was counted. */
    evidence: string;
    meaning: string;
    /** What lifts or fixes it; null if there is nothing to do. */
    lift: string | null;
    /** The settings that would have prevented it. */
    settings: readonly string[];
  }>;

/** The results of `why IP`, `why --account`, `why --message`, and of their routes. Timelines start with the oldest step. */
export type AddressStory = AddressReport & Readonly<{ timeline: readonly TimelineStep[] }>;
/** What `why IP --json` and its route answer. */
export type AddressAnswer = AddressStory &
  Readonly<{
    /** What forbids a ban just now: a code of core/events/reasons.ts. Null: nothing, or it is not known. */
    protection: string | null;
    /** True: the guard did not answer. */
    protectionUnknown: boolean;
  }>;
export type AccountReport = Readonly<{
  account: string;
  /** The addresses of sign-ins, newest first. */
  addresses: readonly Readonly<{ ip: string; succeeded: number; failed: number; lastAt: string }>[];
  /** What it did itself and what was changed about it: the newest of each type, however much else there is. */
  own: readonly TimelineStep[];
  /** False: `timeline` and `addresses` tell only the newest. */
  complete: boolean;
  timeline: readonly TimelineStep[];
}>;
export type MessageReport = Readonly<{
  asked: string;
  queueIds: readonly string[];
  messageIds: readonly string[];
  /** Mails with the same Message-ID that are not shown here, newest first. */
  otherQueueIds: readonly string[];
  /** False: only the newest is shown. */
  complete: boolean;
  timeline: readonly TimelineStep[];
}>;

export type Notice = Readonly<{ code: NoticeCode; since: string; says: string; detail: string; next: string }>;

export type ComponentHealth = Readonly<{ name: string; status: "ok" | "degraded" | "down"; detail: string }>;

export const TASK_KINDS = ["notice", "held_mail", "alert", "dns"] as const;

/** What waits for the owner. `kind`: where to deal with it. `action`: what to do, with the command between backquotes. */
export type OwnerTask = Readonly<{
  kind: (typeof TASK_KINDS)[number];
  code: string;
  since: string | null;
  says: string;
  action: string;
}>;

export type Health = Readonly<{
  status: "ok" | "degraded" | "down";
  components: readonly ComponentHealth[];
  notices: readonly Notice[];
  needsYou: readonly OwnerTask[];
  /** Seconds since the guard started. */
  uptimeSeconds: number;
}>;

/**
 * `GET /api/security?action=stats`, `ghostinbox stats --json`. `bans.active`: the number of all bans; `bans.items`: all of
 * them, newest first, of which the API answers the first 10,000.
 */
export type Stats = Readonly<{
  generatedAt: string;
  bans: Page<BanItem> & Readonly<{ active: number }>;
  events: readonly EventItem[];
  topIps: readonly TopIp[];
  counts: Readonly<Record<string, number>>;
  health: Health;
}>;

/** `state` null: there is no such account; absent: the guard did not answer. */
export type AccountAnswer = AccountReport & Readonly<{ state?: AccountState | null | undefined }>;
export type AccountItem = AccountRow & Readonly<{ lastSignInAt: string | null }>;
/** A stranger's mail that greylisting deferred. `waitsFor`: its server's next try, or the end of a rush of new senders. */
type WaitingMail = Readonly<{
  sender: string;
  recipient: string;
  ip: string | null;
  since: string;
  lastTryAt: string;
  tries: number;
  waitsFor: "retry" | "crowd";
}>;
/** `complete` false: only the newest events were looked at. */
export type WaitingMails = Readonly<{ items: readonly WaitingMail[]; total: number; complete: boolean }>;
/** The spam filter's verdict on a mail. `score` null: an older version recorded it. */
type SpamScore = Readonly<{
  id: number;
  at: string;
  recipient: string | null;
  messageId: string | null;
  isSpam: boolean;
  score: number | null;
  required: number | null;
}>;
export type SpamScores = Page<SpamScore> &
  Readonly<{ days: readonly Readonly<{ day: string; scored: number; spam: number }>[]; complete: boolean }>;
/** The result for the accounts of a file. Each account is in at most one list. */
export type FileChanges = Readonly<{
  added: readonly string[];
  changed: readonly string[];
  suspended: readonly string[];
  resumed: readonly string[];
  /** Those whose quota alone is another. */
  quotas: readonly string[];
  skipped: readonly Readonly<{ name: string; why: string }>[];
}>;

export function banItem(ban: Ban): BanItem {
  return {
    ip: ban.ip,
    prefix: ban.prefix,
    level: ban.level,
    code: ban.code,
    reason: ban.reason,
    source: ban.source,
    createdAt: isoTime(ban.createdAt),
    expiresAt: ban.expiresAt === null ? null : isoTime(ban.expiresAt),
    offences: ban.offences,
  };
}

/** A password of an account for a single mail program. `usedAt`: to the minute; null: not yet. */
export type AppPasswordItem = Readonly<{ name: string; madeAt: string; madeBy: string; usedAt: string | null }>;

/** A session of the dashboard. `id` names it and opens nothing; `device`: from the browser's own description. */
export type SessionItem = Readonly<{ id: string; device: string; ip: string; startedAt: string; usedAt: string }>;

/** `account`: the mailbox whose user is signed in; null: the administrator. */
export type ListedSession = SessionItem & Readonly<{ account: string | null }>;

/** Who a session or a token is. `account`: the mailbox whose user it is; null: it administers, as its scopes say. */
export type CallerItem = Readonly<{
  how: "session" | "token";
  name: string;
  role: Role;
  account: string | null;
  scopes: readonly Scope[];
  /** Until when the proof that the session gave is fresh; null: it must be given, or it is a token, which gives none. */
  freshUntil: string | null;
  /** The session's id; null for a token. */
  session: string | null;
}>;

/** What the user of a mailbox sees of it. */

/** A sign-in to an account. `slowed`: it had to wait; `refused`: its password was not looked at. */
export type OwnSignIn = Readonly<{
  at: string;
  ip: string | null;
  service: string | null;
  isRight: boolean;
  what: "signed_in" | "wrong_password" | "slowed" | "refused";
}>;

export const MAIL_STEPS = [
  "accepted",
  "queued",
  "held",
  "put_off",
  "refused",
  "spam",
  "delivered",
  "waiting",
  "returned",
  "deleted",
] as const;
export type MailStep = (typeof MAIL_STEPS)[number];
/** The way of a mail, the first step first. `state`: the last one. */
export type OwnMail = Readonly<{
  state: MailStep;
  steps: readonly Readonly<{ at: string; what: MailStep; says: string }>[];
}>;

/** What the verbs of control.ts answer with. */

/** Without `quotaBytes`: the quota of the settings. */
export type NamedSecret = Readonly<{ name: string; hash: string; proof: string; quotaBytes?: number | undefined }>;
export type Named = Readonly<{ name: string }>;
/** `held`: mails of the account that wait on hold in the queue. */
export type Network = Readonly<{ prefix: string }>;
/** `reason` null: nothing forbids it. */
export type Protected = Network & Readonly<{ reason: Protection | null }>;
/** `recorded`: whether the database stored a record of it. */
export type Reloaded = Readonly<{ changed: readonly string[]; recorded: boolean }>;
/** `inForce`: the value of each, as text in TOML, in the order of `changed`. */
export type Pending = Readonly<{ changed: readonly string[]; inForce: readonly string[] }>;
/** `known`: what the browser shows at its next sign-in; null: nothing. */
export type SignedIn =
  | Readonly<{ outcome: "in"; secret: string; known: string | null; caller: CallerItem }>
  | Readonly<{ outcome: NotIn }>;
export type Proved = Readonly<{ outcome: "proved" | NotIn; caller: CallerItem }>;
/** `code_needed`: the password is right, and a second factor must come with it. */
export type NotIn = "wrong" | "refused" | "code_needed";
/** How many there were, and the names of the passkeys among them. */
export type FactorsReset = Ended & Readonly<{ factors: number; passkeyNames: readonly string[] }>;
export type Ended = Readonly<{ ended: number }>;
export type Done = Readonly<{ done: true }>;
