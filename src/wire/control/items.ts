import type { NoticeCode } from "../../core/alerts/notices.ts";
import type { ShownEvent } from "../../core/events/columns.ts";
import type { AccountRow, AccountState } from "../verbs/accounts.ts";
import type { AllowItem, BanItem } from "../verbs/bans.ts";
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
