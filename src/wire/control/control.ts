import type { AlertKind, Severity } from "../../core/alerts/alerts.ts";
import type { Millis } from "../../core/time.ts";
import type { AlertItem, AllowedSenderItem, AllowItem, BanItem, GreylistPauseItem, Health } from "./items.ts";

/**
 * What the command line and the web ask of the guard: one JSON object a line over a unix socket, answered in order.
 * Which socket was used tells who asks, and what they may (`control-rights.ts`); `by` only refines it (`root`,
 * `admin via 203.0.113.7`).
 */
export type Command =
  | Readonly<{ verb: "ping" }>
  | Readonly<{ verb: "health" }>
  | Readonly<{ verb: "ban"; target: string; note: string; for: string | "permanent" | null }>
  | Readonly<{ verb: "unban"; target: string }>
  /** Lifts every ban: the owner is locked out. */
  | Readonly<{ verb: "break_glass" }>
  | Readonly<{ verb: "allow_add"; target: string; note: string; for: string | null }>
  | Readonly<{ verb: "allow_remove"; target: string }>
  | Readonly<{ verb: "allow_list" }>
  | Readonly<{ verb: "cleanup" }>
  | Readonly<{ verb: "account_add"; name: string; hash: string }>
  | Readonly<{ verb: "account_passwd"; name: string; hash: string }>
  | Readonly<{ verb: "account_remove"; name: string }>
  | Readonly<{ verb: "account_suspend"; name: string }>
  | Readonly<{ verb: "account_resume"; name: string }>
  /** Accounts of a file, some at a time; `hash` with its scheme. Those that exist are left alone. */
  | Readonly<{ verb: "accounts_import"; entries: readonly NamedSecret[] }>
  /** What changed in the accounts file that is followed, some at a time: lines that are there, and lines that went. */
  | Readonly<{ verb: "accounts_follow"; entries: readonly NamedSecret[]; gone: readonly string[] }>
  | Readonly<{ verb: "networks_add"; name: string; networks: readonly string[] }>
  | Readonly<{ verb: "networks_remove"; name: string; networks: readonly string[] }>
  | Readonly<{ verb: "alias_add"; address: string; targets: readonly string[] }>
  | Readonly<{ verb: "alias_remove"; address: string }>
  | Readonly<{ verb: "alias_block"; address: string; blocked: boolean }>
  /** Mail for the recipient is not greylisted for so long; null as long as usual. */
  | Readonly<{ verb: "greylist_pause"; target: string; for: string | null }>
  | Readonly<{ verb: "greylist_resume"; target: string }>
  | Readonly<{ verb: "greylist_list" }>
  | Readonly<{ verb: "spam_allow_add"; account: string; sender: string }>
  | Readonly<{ verb: "spam_allow_remove"; account: string; sender: string }>
  | Readonly<{ verb: "spam_allow_list" }>
  /** Sends a test to each channel of alerts and waits for what becomes of it. */
  | Readonly<{ verb: "alerts_test" }>
  | Readonly<{ verb: "alerts_list" }>
  | Readonly<{ verb: "token_create"; name: string; digest: string }>
  | Readonly<{ verb: "token_revoke"; name: string }>
  | Readonly<{ verb: "admin_passwd"; hash: string }>
  /** Reads the settings anew and swaps the policy; the caller has validated them. */
  | Readonly<{ verb: "reload" }>
  /** The web reports a login to the dashboard, as Dovecot reports those to the mailboxes. */
  | Readonly<{ verb: "dashboard_login"; ip: string; passwordHash: string; success: boolean }>
  /** Asks whether this address may try a dashboard login. */
  | Readonly<{ verb: "dashboard_ask"; ip: string }>
  /** An administrator's session or token was used from this address. */
  | Readonly<{ verb: "admin_seen"; ip: string }>
  /** Keeps the connection: a line `{"lastEventId": n}` after commits, coalesced, until it is closed. */
  | Readonly<{ verb: "watch" }>;

export type NamedSecret = Readonly<{ name: string; hash: string }>;
/** So many fit into one line of the socket. */
export const ENTRIES_PER_COMMAND = 50;

export type Verb = Command["verb"];

export type Results = Readonly<{
  ping: { readonly pid: number };
  health: Health;
  ban: { readonly ban: BanItem };
  unban: { readonly prefix: string };
  break_glass: { readonly lifted: number };
  allow_add: { readonly prefix: string; readonly lifted: readonly string[] };
  allow_remove: { readonly prefix: string };
  allow_list: { readonly items: readonly (AllowItem & { readonly from: "settings" | "command" })[] };
  cleanup: { readonly expired: number };
  account_add: { readonly name: string };
  account_passwd: { readonly name: string };
  account_remove: { readonly name: string };
  account_suspend: { readonly name: string };
  account_resume: { readonly name: string };
  accounts_import: FileChanges;
  accounts_follow: FileChanges;
  networks_add: { readonly name: string; readonly networks: readonly string[] };
  networks_remove: { readonly name: string; readonly networks: readonly string[] };
  alias_add: { readonly address: string };
  alias_remove: { readonly address: string };
  alias_block: { readonly address: string };
  greylist_pause: { readonly pause: GreylistPauseItem };
  greylist_resume: { readonly target: string };
  greylist_list: { readonly pauses: readonly GreylistPauseItem[] };
  spam_allow_add: { readonly account: string; readonly sender: string };
  spam_allow_remove: { readonly account: string; readonly sender: string };
  spam_allow_list: { readonly senders: readonly AllowedSenderItem[] };
  alerts_test: { readonly results: readonly Readonly<{ channel: string; ok: boolean; detail: string }>[] };
  alerts_list: {
    /** `failing`: why it has failed several times in a row; null while it does not. */
    readonly channels: readonly Readonly<{ name: string; failing: string | null }>[];
    readonly alerts: readonly AlertItem[];
  };
  token_create: { readonly name: string };
  token_revoke: { readonly name: string };
  admin_passwd: { readonly done: true };
  /** `recorded`: whether the database took a record of it. */
  reload: { readonly changed: readonly string[]; readonly recorded: boolean };
  dashboard_login: { readonly verdict: string };
  dashboard_ask: { readonly verdict: string };
  admin_seen: { readonly done: true };
  watch: { readonly lastEventId: number };
}>;

/** What accounts of a file came to: each stands in one list at most. */
export type FileChanges = Readonly<{
  added: readonly string[];
  changed: readonly string[];
  suspended: readonly string[];
  resumed: readonly string[];
  skipped: readonly Readonly<{ name: string; why: string }>[];
}>;

/** `usage`: the command was wrong in itself (exit 2). `failed`: right, but it could not be done (exit 1). */
export type CommandError = Readonly<{ ok: false; kind: "usage" | "failed"; message: string; next: string }>;
export type Reply<V extends Verb = Verb> = Readonly<{ ok: true; result: Results[V] }> | CommandError;

/** One line of the socket. */
export type CommandLine = Readonly<{ by: string; command: Command }>;

/**
 * The keeper's closed verbs. No word of them is run, named as a file or looked up: each is checked against its grammar,
 * and the text of an alert is text of a mail and nothing else.
 */
export type KeeperCommand =
  | Readonly<{ verb: "ping" }>
  /** Ends the account's open IMAP and submission sessions. */
  | Readonly<{ verb: "kick_account"; account: string }>
  /** Ends open IMAP sessions from this network. */
  | Readonly<{ verb: "kick_network"; prefix: string }>
  /** Renders the configuration from the settings file, checks it, applies it, reloads what changed. */
  | Readonly<{ verb: "apply" }>
  | Readonly<{ verb: "restart"; service: "postfix" | "dovecot" | "web" | "guard" | "fail2ban" }>
  /** Writes to fail2ban.destemail that a jail brought on a ban; `lastsMs` null: for good. */
  | Readonly<{
      verb: "mail_ban";
      prefix: string;
      jail: string;
      failures: number;
      lastsMs: number | null;
      /** Bans before it that no mail told of. */
      unsaid: number;
    }>
  /** Puts an alert into Postfix's queue for those of alerts.email. No local user can: there is no port for it. */
  | Readonly<{
      verb: "mail_alert";
      id: string;
      kind: AlertKind;
      at: Millis;
      severity: Severity;
      title: string;
      body: string;
    }>
  | Readonly<{ verb: "status" }>;

export const KEEPER_NOTICES = [
  "certificate_refused",
  "certificate_expiring",
  "greylist_silent",
  "verifier_silent",
  "accounts_file_refused",
] as const;
export type KeeperTrouble = Readonly<{ code: (typeof KEEPER_NOTICES)[number]; detail: string }>;

export type KeeperReply =
  | Readonly<{
      ok: true;
      detail: string;
      services?: readonly Readonly<{ name: string; up: boolean; pid: number | null }>[];
      /** What the owner must be told, of what only the keeper sees. */
      troubles?: readonly KeeperTrouble[];
    }>
  | Readonly<{ ok: false; reason: string }>;
