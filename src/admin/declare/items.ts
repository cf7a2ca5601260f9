import * as z from "zod/mini";
import type { Role, Scope } from "../../core/access/scopes.ts";
import { NOTICE_CODES } from "../../core/alerts/notices.ts";
import type { Ban } from "../../core/decide/decision.ts";
import type { ShownEvent } from "../../core/events/columns.ts";
import { isoTime, isoTimeOrNull } from "../../core/time.ts";
import { type AccountRow, accountState } from "../accounts.ts";
import { allowed, type BanItem, ban } from "../bans.ts";
import { component, type OutputOf, object } from "./fields.ts";
import { count, list, meaning, time as moment, next, records } from "./kinds.ts";

/** Data that the command line's --json, the API and the dashboard share. Times are ISO 8601 UTC. */

export const time = moment.check(z.meta({ id: "Time" }));

export type EventItem = ShownEvent;
const fields = () =>
  exactly<EventItem>()({
    id: count,
    at: time,
    type: z.string(),
    service: z.nullable(z.string()),
    ip: z.nullable(z.string()),
    account: z.nullable(z.string()),
    sender: meaning(z.nullable(z.string()), "Envelope sender; empty: a bounce or an automatic reply."),
    recipient: z.nullable(z.string()),
    queueId: z.nullable(z.string()),
    messageId: z.nullable(z.string()),
    helo: z.nullable(z.string()),
    sizeBytes: z.nullable(count),
    verdict: z.nullable(z.string()),
    reason: z.nullable(z.string()),
    offence: meaning(z.nullable(count), "For a ban: the number of this offence."),
    count: z.nullable(count),
    limit: z.nullable(count),
    windowMs: z.nullable(count),
    limitKey: meaning(z.nullable(z.string()), "The setting that sets `limit`."),
    simulated: meaning(
      z.nullable(z.string()),
      "The verdict that would have applied, or `ban`, if `simulate` had not been set. Nothing was refused or banned.",
    ),
    actor: meaning(z.nullable(z.string()), "Who gave the command."),
    details: z.string(),
    action: z.string(),
  });
export const eventItem = component({ id: "Event" }, fields);

/** What is known of one address, for `why`. */
const addressReport = object(() => ({
  ban: z.nullable(ban()),
  pastBans: records({ ...ban().shape, endedAt: z.nullable(time), ended: z.nullable(z.string()) }),
  offencesInMemory: count,
  allowed: z.nullable(allowed()),
  knownAccounts: meaning(list(z.string()), "Accounts that signed in from it or, for a network, from any part of it."),
  totals: meaning(
    z.object({ pastBans: count, knownAccounts: count }),
    "Totals of the lists that are cut: at most the newest 50 past bans and 50 accounts are listed.",
  ),
  events: list(eventItem()),
}));
export type AddressReport = OutputOf<typeof addressReport>;

const timelineStep = component({ id: "TimelineStep" }, () => ({
  ...fields(),
  source: z.enum(["smtp", "login", "spam", "delivery", "web", "fail2ban", "detector", "firewall", "administrator"]),
  evidence: meaning(z.string(), "What was counted, within which time, and the limit; empty if nothing was counted."),
  meaning: z.string(),
  lift: meaning(z.nullable(z.string()), "What lifts or fixes it; null if nothing needs to be done."),
  settings: meaning(list(z.string()), "The settings that would have prevented it."),
}));
export type TimelineStep = OutputOf<typeof timelineStep>;
export type TimelineSource = TimelineStep["source"];
const timeline = () => meaning(list(timelineStep()), "The oldest first.");

/** What `why IP --json` and its route answer. */
export const addressAnswer = component({ id: "AddressStory" }, () => ({
  ...addressReport().shape,
  timeline: timeline(),
  protection: meaning(
    z.nullable(z.string()),
    "What forbids a ban now, such as `allow_listed` or `gateway`; null if nothing does, or if unknown.",
  ),
  protectionUnknown: meaning(z.boolean(), "True if the guard did not answer, so `protection` is unknown."),
}));
export type AddressAnswer = OutputOf<typeof addressAnswer>;
export type AddressStory = Omit<AddressAnswer, "protection" | "protectionUnknown">;

/** What `why --account` answers. */
export const accountAnswer = component({ id: "AccountStory" }, () => ({
  account: z.string(),
  state: meaning(
    z.optional(z.nullable(accountState())),
    "The current state. Null: there is no such account. Absent: the guard did not answer.",
  ),
  addresses: records({ ip: z.string(), succeeded: count, failed: count, lastAt: time }),
  own: meaning(
    list(timelineStep()),
    "Actions by the account and changes to it: the newest of each type that a search of one second finds, oldest first.",
  ),
  complete: meaning(z.boolean(), "False if there is more: `timeline` and `addresses` cover only the newest events."),
  timeline: timeline(),
}));
export type AccountAnswer = OutputOf<typeof accountAnswer>;
export type AccountReport = Omit<AccountAnswer, "state">;

/** What `why --message` answers. */
export const messageReport = component({ id: "MailStory" }, () => ({
  asked: z.string(),
  queueIds: list(z.string()),
  messageIds: list(z.string()),
  otherQueueIds: meaning(
    list(z.string()),
    "Queue ids of other mails with the same Message-ID, newest first, by which to ask for them.",
  ),
  complete: meaning(z.boolean(), "False if there are more events or mails than the newest ones shown."),
  timeline: timeline(),
}));
export type MessageReport = OutputOf<typeof messageReport>;

/** Notices and tasks that mean that some mail waits or no one can sign in, most urgent first. */
export const PARTLY_STOPPED = [
  "isolated",
  "ports_blocked",
  "sign_ins_blocked",
  "certificate_expired",
  "domain_missing",
  "dns_failing",
  "mail_unstored",
  "relay_refuses",
  "outgoing_blocked",
] as const;

export const status = z.enum(["ok", "degraded", "down"]);
export const health = component({ id: "Health" }, () => ({
  status,
  headline: meaning(
    z.enum(["guard_down", "down", "degraded", "disk_full", "disk_read_only", ...PARTLY_STOPPED, "tasks", "well"]),
    "The most urgent condition; `tasks` means that everything works and needsYou has entries.",
  ),
  components: records({ name: z.string(), status, detail: z.string() }),
  notices: records({
    code: z.enum(NOTICE_CODES),
    since: time,
    says: z.string(),
    detail: z.string(),
    next: z.string(),
    about: meaning(
      z.exactOptional(list(z.string())),
      "The checks, keys, files or channels that this notice is about, at most 20. Each has a separate alert.",
    ),
  }),
  needsYou: meaning(
    records({
      kind: meaning(z.enum(["notice", "held_mail", "alert", "dns"]), "Where to deal with it."),
      code: z.string(),
      since: z.nullable(time),
      says: z.string(),
      /** The command in it is between backquotes. */
      action: z.string(),
      account: meaning(z.nullable(z.string()), "The account that it is about; null if none."),
    }),
    "What the owner must deal with: notices, alerts, held mail, missing DNS records, a guard that does not answer.",
  ),
  /** Since the guard started. */
  uptimeSeconds: z.number(),
}));
export type Health = OutputOf<typeof health>;
export type ComponentHealth = Readonly<Health["components"][number]>;
export type Notice = Readonly<Health["notices"][number]>;
export type OwnerTask = Readonly<Health["needsYou"][number]>;

/** Maximum bans in an answer of the API: 1 MB. `next` leads to the others. */
export const BANS_ANSWERED = 3_000;

/** `GET /api/security?action=stats`, `ghostinbox stats --json`, which lists all bans. */
export const stats = component({ id: "Stats" }, () => ({
  generatedAt: time,
  bans: z.object({
    active: meaning(count, "How many are in force."),
    items: meaning(list(ban()), `In force, newest first; at most ${BANS_ANSWERED}.`),
    next: meaning(z.nullable(z.string()), "The cursor for the rest in `/api/v1/bans`; null if there is none."),
  }),
  events: list(eventItem()),
  topIps: records({ ip: z.string(), mails: count, connections: count, rejected: count }),
  counts: meaning(z.record(z.string(), count), "Events of the last 24 hours by type."),
  health: health(),
}));
export type Stats = OutputOf<typeof stats>;
export type TopIp = Readonly<Stats["topIps"][number]>;

export type AccountItem = AccountRow & Readonly<{ lastSignInAt: string | null }>;
export const waitingMails = object(() => ({
  items: meaning(
    records({
      sender: meaning(z.string(), "Envelope sender; empty: a bounce or an automatic reply."),
      recipient: z.string(),
      ip: meaning(z.nullable(z.string()), "The address of its last try."),
      since: meaning(moment, "Its first try within the last 6 hours."),
      lastTryAt: moment,
      tries: count,
      waitsFor: meaning(
        z.enum(["retry", "crowd"]),
        "`retry`: the sender's server must try again. `crowd`: too many new senders are writing at the moment.",
      ),
    }),
    "The latest first, 100 at most.",
  ),
  total: meaning(count, "How many wait, among the events that were searched."),
  complete: meaning(z.boolean(), "False if there were too many events, so that only the newest were searched."),
}));
export type WaitingMails = OutputOf<typeof waitingMails>;
export const spamScores = object(() => ({
  items: records({
    id: count,
    at: moment,
    recipient: meaning(z.nullable(z.string()), "Null if there are several, or if unknown."),
    messageId: z.nullable(z.string()),
    isSpam: z.boolean(),
    score: meaning(z.nullable(z.number()), "Null if an older version recorded it."),
    required: meaning(z.nullable(z.number()), "The score from which a mail is spam."),
  }),
  next,
  days: meaning(
    records({ day: meaning(z.iso.date(), "In UTC."), scored: count, spam: count }),
    "The newest first, 14 at most; empty on later pages.",
  ),
  complete: meaning(z.boolean(), "False if there were too many to count, so the oldest day is incomplete."),
}));
export type SpamScores = OutputOf<typeof spamScores>;

export function banItem(ban: Ban): BanItem {
  const { ip, prefix, level, code, reason, source, offences } = ban;
  const createdAt = isoTime(ban.createdAt);
  return { ip, prefix, level, code, reason, source, createdAt, expiresAt: isoTimeOrNull(ban.expiresAt), offences };
}

/** An account's app password for one mail program. `usedAt`: to the minute; null if never used. */
export type AppPasswordItem = Readonly<{ name: string; madeAt: string; madeBy: string; usedAt: string | null }>;

/** A session of the dashboard. `id` names it and opens nothing; `device`: from the browser's own description. */
export type SessionItem = Readonly<{ id: string; device: string; ip: string; startedAt: string; usedAt: string }>;

/** `account`: the mailbox whose user is signed in; null: the administrator. */
export type ListedSession = SessionItem & Readonly<{ account: string | null }>;

/** Who a session or token belongs to. `account`: the mailbox of its user; null for an administrator's. */
export type CallerItem = Readonly<{
  how: "session" | "token";
  name: string;
  role: Role;
  account: string | null;
  scopes: readonly Scope[];
  /** Until when the session's proof is fresh; null if it must give one, and for a token, which cannot. */
  freshUntil: string | null;
  /** The session's id; null for a token. */
  session: string | null;
}>;

/** What users see of their own mailbox. */

export const signIns = object(() => ({
  items: records({
    at: time,
    ip: z.nullable(z.string()),
    service: meaning(z.nullable(z.string()), "Such as `imap`, `submission`, `dashboard`."),
    isRight: z.boolean(),
    what: meaning(
      z.enum(["signed_in", "wrong_password", "slowed", "refused"]),
      "`slowed`: it had to wait; `refused`: its password was not checked.",
    ),
  }),
  next,
}));
export type OwnSignIn = Readonly<z.output<ReturnType<typeof signIns>>["items"][number]>;

const mailStep = z.enum([
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
]);
export type MailStep = z.output<typeof mailStep>;
/** The path of a mail, oldest step first. */
export const ownMail = object(() => ({
  state: meaning(mailStep, "The result of the last step."),
  steps: records({ at: time, what: mailStep, says: z.string() }),
}));
export type OwnMail = OutputOf<typeof ownMail>;

/** Results of the verbs in control.ts. */

/** If `quotaBytes` is absent, the quota of the settings applies. */
export type NamedSecret = Readonly<{
  name: string;
  hash: string;
  passwordHash: string;
  quotaBytes?: number | undefined;
}>;
/** `recorded`: whether the database stored a record of it. */
export type Reloaded = Readonly<{ changed: readonly string[]; recorded: boolean }>;
/** `known`: the secret that identifies the browser at its next sign-in; null if none. */
export type SignedIn =
  | Readonly<{ outcome: "in"; secret: string; known: string | null; caller: CallerItem }>
  | Readonly<{ outcome: NotIn }>;
export type Proved = Readonly<{ outcome: "proved" | NotIn; caller: CallerItem }>;
/**
 * `code_needed`: the password is right, but a second factor is required too. `unchecked`: callers get the answer of `wrong`, because
 * whether a password is checked depends on the account.
 */
export type NotIn = "wrong" | "unchecked" | "refused" | "code_needed";
export type Done = Readonly<{ done: true }>;

/** Requires the fields of exactly this type, so that `/openapi.json` hides no field that the server sends. */
function exactly<T>() {
  type Of<S extends z.core.$ZodShape> = z.output<z.ZodMiniObject<S>>;
  return <S extends z.core.$ZodShape>(shape: [T, Of<S>] extends [Of<S>, T] ? S : never): S => shape;
}
