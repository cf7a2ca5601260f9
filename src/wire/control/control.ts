import * as z from "zod/mini";
import type { Protection } from "../../core/events/reasons.ts";
import { anObject, flag, lazily, objects, printableText, text, texts, wholeNumber } from "./fields.ts";
import type {
  AlertItem,
  AllowedSenderItem,
  AllowItem,
  BanItem,
  GreylistPauseItem,
  Health,
  HeldAccountItem,
  HeldMailItem,
  QueueChange,
  QueueItem,
  SentMailItem,
} from "./items.ts";
import { type CountedPage, PAGE } from "./paging.ts";

/**
 * Commands from the command line and the web to the guard: one JSON object per line over a unix socket, answered in
 * order. The socket identifies the caller; `by` only adds detail (`root`, `admin via 203.0.113.7`).
 */

/** The socket of a command. The file's permissions prove the origin. */
export type Origin = "root" | "web";
/** For an origin that a verb does not list, the verb does not exist. */
const ROOT = ["root"] as const;
/** Reports that only the web makes. */
const WEB = ["web"] as const;
/**
 * The web may do what its routes need (servers/api/routes.ts) and no more: an attacker who controls the web could do
 * all of it.
 */
const ROOT_AND_WEB = ["root", "web"] as const;

/** So many entries of an accounts file fit into one line of the socket. */
export const ENTRIES_PER_COMMAND = 50;

/** The longest network as text. parsePrefix gives the exact error for longer ones that still fit. */
const network = text(64);
const note = printableText(500);
const duration = z.nullable(text(32));
/** RFC 5321, 4.5.3.1. */
const address = text(320);
/** A PHC string of argon2id, with room to spare. */
const hash = text(512);
/** What Dovecot tells of the password (render/dovecot/password-proof.ts). */
const proof = z.optional(text(8));
const name = text(64);
const networks = texts(100, 64);
/**
 * Which mails of Postfix's queue: those that fit every field. No queue ids and null fit all; the empty sender is that of
 * a bounce.
 */
const chosen = {
  ids: texts(100, 20),
  account: z.nullable(address),
  sender: z.nullable(address),
  recipient: z.nullable(address),
};
/** Which page of a list. */
const page = { limit: wholeNumber(1, PAGE.most), cursor: z.nullable(text(PAGE.cursorCharacters)) };
/** Of a mailbox; 0: no limit. */
const quotaBytes = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const secrets = objects(ENTRIES_PER_COMMAND, { name: address, hash, proof, quotaBytes: z.optional(quotaBytes) });

/**
 * Every verb: its origins, the types and bounds of its fields, and its result. This is only grammar: the code that
 * carries out a verb checks what a network or an address means.
 */
const VERBS = [
  verb("ping", ROOT, {}, gives<{ readonly pid: number }>("pid")),
  verb("health", ROOT_AND_WEB, {}, gives<Health>("components")),
  verb("ban", ROOT_AND_WEB, { target: network, note, for: duration }, gives<{ readonly ban: BanItem }>("ban")),
  verb("unban", ROOT_AND_WEB, { target: network }, gives<Network>("prefix")),
  /** Lifts every ban, for an owner who is locked out. */
  verb("break_glass", ROOT, {}, gives<{ readonly lifted: number }>("lifted")),
  verb("allow_add", ROOT_AND_WEB, { target: network, note, for: duration }, gives<Allowed>("lifted")),
  verb("allow_remove", ROOT_AND_WEB, { target: network }, gives<Network>("prefix")),
  verb("allow_list", ROOT_AND_WEB, page, gives<AllowList>("items")),
  /** What forbids a ban of this address or network now. */
  verb("protection", ROOT_AND_WEB, { target: network }, gives<Protected>("reason")),
  verb("cleanup", ROOT_AND_WEB, {}, gives<{ readonly expired: number }>("expired")),
  verb("account_add", ROOT, { name: address, hash, proof }, gives<Named>("name")),
  verb("account_passwd", ROOT, { name: address, hash, proof }, gives<Named>("name")),
  verb("account_remove", ROOT, { name: address }, gives<Named>("name")),
  verb("account_suspend", ROOT, { name: address }, gives<WithHeld>("name")),
  verb("account_resume", ROOT, { name: address }, gives<WithHeld>("name")),
  /** Which accounts are held, and which of their mails; of a single account also what it sent. */
  verb("held_list", ROOT, { name: z.nullable(address) }, gives<HeldList>("held")),
  verb("held_release", ROOT, { name: address }, gives<Released>("released")),
  verb("held_drop", ROOT, { name: address }, gives<Dropped>("dropped")),
  verb("queue_list", ROOT, { ...chosen, ...page }, gives<QueueList>("mails")),
  /** `isAll`: an empty choice is meant. */
  verb("queue_hold", ROOT, { ...chosen, isAll: flag }, gives<QueueChange>("changed")),
  verb("queue_release", ROOT, { ...chosen, isAll: flag }, gives<QueueChange>("changed")),
  verb("queue_delete", ROOT, { ...chosen, isAll: flag }, gives<QueueChange>("changed")),
  /** Tries deferred mail again. */
  verb("queue_flush", ROOT, { ...chosen, isAll: flag }, gives<QueueChange>("changed")),
  /** Some accounts of a file; `hash` includes its scheme. Existing accounts stay as they are. */
  verb("accounts_import", ROOT, { entries: secrets }, gives<FileChanges>("skipped")),
  /** Changes in the followed accounts file, some at a time: present lines, and removed lines. */
  verb(
    "accounts_follow",
    ROOT,
    { entries: secrets, gone: texts(ENTRIES_PER_COMMAND, 320) },
    gives<FileChanges>("skipped"),
  ),
  verb("networks_add", ROOT, { name: address, networks }, gives<Networks>("networks")),
  verb("networks_remove", ROOT, { name: address, networks }, gives<Networks>("networks")),
  /** Null: the quota of the settings. */
  verb("quota_set", ROOT, { name: address, quotaBytes: z.nullable(quotaBytes) }, gives<Quota>("quotaBytes")),
  verb("alias_add", ROOT, { address, targets: texts(100, 320) }, gives<Alias>("address")),
  verb("alias_remove", ROOT, { address }, gives<Alias>("address")),
  verb("alias_block", ROOT, { address, blocked: flag }, gives<Alias>("address")),
  /** Turns greylisting off for mail to the recipient, for so long; null: for the default time. */
  verb(
    "greylist_pause",
    ROOT,
    { target: address, for: duration },
    gives<{ readonly pause: GreylistPauseItem }>("pause"),
  ),
  verb("greylist_resume", ROOT, { target: address }, gives<{ readonly target: string }>("target")),
  verb("greylist_list", ROOT, page, gives<PauseList>("pauses")),
  verb("spam_allow_add", ROOT, { account: address, sender: address }, gives<SenderAllowed>("sender")),
  verb("spam_allow_remove", ROOT, { account: address, sender: address }, gives<SenderAllowed>("sender")),
  verb("spam_allow_list", ROOT, page, gives<SenderList>("senders")),
  /** Sends a test to each alert channel and waits for the results. */
  verb("alerts_test", ROOT, {}, gives<ChannelTests>("results")),
  verb("alerts_list", ROOT, page, gives<AlertList>("alerts")),
  verb("token_create", ROOT, { name, digest: hash }, gives<Named>("name")),
  verb("token_revoke", ROOT, { name }, gives<Named>("name")),
  verb("admin_passwd", ROOT, { hash }, gives<Done>("done")),
  /** Reloads the settings and replaces the policy. The caller has validated them. */
  verb("reload", ROOT, {}, gives<Reloaded>("changed")),
  /** Which settings a reload would change. */
  verb("pending", ROOT, {}, gives<{ readonly changed: readonly string[] }>("changed")),
  /** The web reports a login to the dashboard, as Dovecot reports logins to mailboxes. */
  verb("dashboard_login", WEB, { ip: network, passwordHash: hash, success: flag }, gives<Verdict>("verdict")),
  /** Asks whether this address may try a dashboard login. */
  verb("dashboard_ask", WEB, { ip: network }, gives<Verdict>("verdict")),
  /** An administrator's session or token was used from this address. */
  verb("admin_seen", WEB, { ip: network }, gives<Done>("done")),
  /** Keeps the connection open: a line `{"lastEventId": n}` after commits, coalesced, until the client closes it. */
  verb("watch", ROOT_AND_WEB, {}, gives<{ readonly lastEventId: number }>("lastEventId")),
] as const;

/** One line of the socket. The entry of its verb reads the command. */
export const commandLine = z.strictObject({ by: printableText(120), command: anObject });

export type VerbEntry = (typeof VERBS)[number];
export const verbs: ReadonlyMap<string, VerbEntry> = new Map(VERBS.map((entry) => [entry.verb, entry]));

export type Verb = VerbEntry["verb"];
export type Command = Readonly<z.output<ReturnType<VerbEntry["command"]>>>;
export type Results = { readonly [E in VerbEntry as E["verb"]]: NonNullable<E["gives"]["type"]> };
/** The web's verbs, for its own types. */
export type WebVerb = { [E in VerbEntry as E["verb"]]: "web" extends E["from"][number] ? E["verb"] : never }[Verb];

/** The schema of its fields, and a field that each result has. */
function verb<const V extends string, const F extends readonly Origin[], const S extends z.core.$ZodShape, G>(
  named: V,
  from: F,
  fields: S,
  given: G,
) {
  const command = lazily(() => z.strictObject({ verb: z.literal(named), ...fields }));
  return { verb: named, from, command, gives: given };
}

/** `field` tells the result from that of another verb or version. The type exists only for the compiler. */
type Gives<R> = Readonly<{ field: string; type?: R }>;
function gives<R>(field: keyof R & string): Gives<R> {
  return { field };
}

/** Without `quotaBytes`: the quota of the settings. */
export type NamedSecret = Readonly<{ name: string; hash: string; proof: string; quotaBytes?: number | undefined }>;
type Named = Readonly<{ name: string }>;
/** `held`: mails of the account that wait on hold in the queue. */
type WithHeld = Named & Readonly<{ held: number }>;
/** `isHeld`: whether further mail of the account is held. */
/** `isMore`: mail is left on hold, for the same command again. */
type Released = Named & Readonly<{ released: number; isMore: boolean }>;
type Dropped = Named & Readonly<{ dropped: number; isMore: boolean; isHeld: boolean }>;
/** Of each list the newest; `heldTotal` and `sentTotal` count all. */
type HeldList = Readonly<{
  accounts: readonly HeldAccountItem[];
  held: readonly HeldMailItem[];
  heldTotal: number;
  sent: readonly SentMailItem[];
  sentTotal: number;
}>;
type QueueList = Paged & Readonly<{ mails: readonly QueueItem[] }>;
type Network = Readonly<{ prefix: string }>;
/** `reason` null: nothing forbids it. */
type Protected = Network & Readonly<{ reason: Protection | null }>;
/** `lifted`: some of `liftedTotal`. */
type Allowed = Readonly<{ prefix: string; lifted: readonly string[]; liftedTotal: number }>;
type AllowList = CountedPage<AllowItem & Readonly<{ from: "settings" | "command" }>>;
/** Besides the items, whose field has a different name in each list. */
type Paged = Readonly<Pick<CountedPage<never>, "next" | "total">>;
type PauseList = Paged & Readonly<{ pauses: readonly GreylistPauseItem[] }>;
type SenderList = Paged & Readonly<{ senders: readonly AllowedSenderItem[] }>;
type Networks = Readonly<{ name: string; networks: readonly string[] }>;
type Quota = Readonly<{ name: string; quotaBytes: number | null }>;
type Alias = Readonly<{ address: string }>;
type SenderAllowed = Readonly<{ account: string; sender: string }>;
type ChannelTests = Readonly<{ results: readonly Readonly<{ channel: string; ok: boolean; detail: string }>[] }>;
export type AlertList = Paged &
  Readonly<{
    /** `failing`: why it has failed several times in a row; null if it works. */
    channels: readonly Readonly<{ name: string; failing: string | null }>[];
    /** Whether any of them leads out of this server. */
    leadOut: boolean;
    alerts: readonly AlertItem[];
  }>;
/** `recorded`: whether the database stored a record of it. */
type Reloaded = Readonly<{ changed: readonly string[]; recorded: boolean }>;
type Verdict = Readonly<{ verdict: string }>;
type Done = Readonly<{ done: true }>;

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

/** `usage`: the command was wrong (exit 2). `failed`: it was right, but could not be carried out (exit 1). */
export type CommandError = Readonly<{ ok: false; kind: "usage" | "failed"; message: string; next: string }>;
export type Reply<V extends Verb = Verb> = Readonly<{ ok: true; result: Results[V] }> | CommandError;
export type CommandLine = Readonly<{ by: string; command: Command }>;
