import * as z from "zod/mini";
import { alias, forwardsEnded } from "./aliases.ts";
import { accountKeys } from "./declare/account-key.ts";
import { component, flag, type OutputOf, object, objects, text, texts, wholeNumber } from "./declare/fields.ts";
import {
  accountName,
  count,
  list,
  listOf,
  meaning,
  pageOf,
  records,
  restrictingNetwork,
  search,
  time,
} from "./declare/kinds.ts";
import { MOST_REVIEWED } from "./declare/reports.ts";
import {
  ADMIN,
  changes,
  changesWithSecret,
  PROVEN_ADMIN,
  READ,
  ROOT,
  reads,
  rootChanges,
  verb,
} from "./declare/verb.ts";
import { heldAccount, isHeld } from "./held.ts";

/** Commands on accounts that their users may not give; those that users may give too are in mailboxes.ts. */

/** Maximum entries of an accounts file in one command, which must fit into one line of the socket. */
export const ENTRIES_PER_COMMAND = 50;
const MOST_LISTED = 100;

/** The refusal of a command about an account that does not exist. */
export function noAccount(name: string): string {
  return `There is no account ${name}.`;
}

export function accountExists(name: string): string {
  return `The account ${name} exists already.`;
}

/** The refusal of an address in a domain that is not among those of this server. */
export function notServed(domain: string, domains: readonly string[]): Readonly<{ message: string; next: string }> {
  const message = `${domain} is not a mail domain of this server (${domains.join(", ")}).`;
  return { message, next: "Add it to `domains` in ghostinbox.toml, then `config apply`." };
}

const ofAccount = { name: accountName };
const named = object(() => ({ name: z.string() }));
const removed = object(() => ({ name: z.string(), forwardsEnded: forwardsEnded() }));
const held = meaning(count, "Mails of the account that wait on hold in the queue.");
const withHeld = object(() => ({ name: z.string(), held }));
const resumed = object(() => ({ name: z.string(), held, isHeld }));
const bytes = z
  .int("is not a whole number")
  .check(z.minimum(0, "is less than 0"), z.maximum(Number.MAX_SAFE_INTEGER, "is too large"));
const quota = meaning(z.nullable(bytes), "0: no limit. Null: as `mailboxes.quota` says.");
const quotaSet = object(() => ({ name: z.string(), quotaBytes: z.nullable(count) }));
const networks = listOf(restrictingNetwork, 100);
const oneNetwork = z.pipe(
  restrictingNetwork,
  z.transform((one) => [one]),
);
const networksOf = object(() => ({ name: z.string(), networks: list(z.string()) }));

const row = () => ({
  name: z.string(),
  suspended: z.boolean(),
  origin: meaning(
    z.enum(["command", "imported", "listed", "unlisted"]),
    "`command`: added or given a password here. `imported`: by `account import`. `listed`: its line is in the followed file. `unlisted`: its line has left that file.",
  ),
  networks: meaning(list(z.string()), "From where it may sign in; empty: anywhere that `logins.networks` allows."),
  quotaBytes: meaning(z.nullable(count), "Null: as `mailboxes.quota` says. 0: no limit."),
  createdAt: time,
});
const known = () => ({
  guarded: meaning(
    z.nullable(z.object({ guesses: count, windowMs: count })),
    "Limits for new places while strangers guess its password; null unless they do.",
  ),
  held: meaning(z.nullable(heldAccount()), "Null: its mail is not held."),
  known: meaning(list(z.string()), "Places from which it may sign in while it is guarded, newest first."),
});
export const accountState = component({ id: "AccountState" }, () => ({ ...row(), ...known() }));
export type AccountState = OutputOf<typeof accountState>;
export type AccountKnown = Pick<AccountState, keyof ReturnType<typeof known>>;
export type AccountRow = Omit<AccountState, keyof AccountKnown>;

const lastSignIn = () =>
  meaning(
    z.nullable(z.object({ at: time, from: z.string() })),
    "Null if none is remembered. `from`: an address, or an IPv6 network.",
  );
export type LastSignIn = Readonly<NonNullable<z.output<ReturnType<typeof lastSignIn>>>>;
const listItem = object(() => ({
  ...row(),
  lastSignIn: lastSignIn(),
  guarded: meaning(z.boolean(), "Strangers are guessing its password, so sign-ins from new places are limited."),
  held: meaning(z.boolean(), "Its mail is held."),
  aliases: meaning(count, "How many aliases lead to it."),
}));
export type AccountListItem = OutputOf<typeof listItem>;
const listed = object(() => ({
  ...pageOf(listItem)().shape,
  passwordsOnServer: meaning(
    z.boolean(),
    "Each account has a key for its mail, so accounts and passwords can be made only on the server.",
  ),
}));
const details = object(() => ({
  ...row(),
  ...known(),
  lastSignIn: lastSignIn(),
  aliases: meaning(list(alias()), "The first aliases that lead to it."),
  aliasesTotal: count,
  use: meaning(z.nullable(z.object({ usedBytes: count, mails: count })), "Null: it is not known now."),
  usualQuotaBytes: meaning(count, "The setting `mailboxes.quota`; 0: no limit."),
  passwordsOnServer: meaning(
    z.boolean(),
    "Its mail has its own key, or gets one with a password, so its password can be set only on the server.",
  ),
}));
export type DetailedAccount = OutputOf<typeof details>;
const access = object(() => {
  const { origin: _, quotaBytes: __, ...own } = row();
  return {
    ...own,
    addresses: meaning(list(z.string()), "Addresses whose mail it receives: its own and aliases, the first 100."),
    appPasswords: meaning(list(z.string()), "The names of its app passwords."),
    lastSignIn: lastSignIn(),
    forwards: meaning(
      records({ to: list(z.string()), by: z.string() }),
      "Where its mail is forwarded, and by what: `account forward` or the file of a Sieve script.",
    ),
  };
});
const reviewed = pageOf(access);

/** RFC 5321, 4.5.3.1. It need not be an account's name. */
const name = text(320);
/** A PHC string of argon2id, with room to spare. */
export const hash = text(512);
/** The short hash by which the guard distinguishes passwords (`passwordHashOf` in mail/dovecot/login-policy.ts), which `hash` is not. */
const passwordHash = z.optional(text(8));
export const password = text(1_024);
/** A new password. `recovers`: the account already had these keys, and the owner's recovery key opened them. */
const secret = { ...ofAccount, hash, passwordHash, keys: z.optional(accountKeys), recovers: z.optional(flag) };
/** Size of a mailbox; 0: no limit. */
const quotaBytes = wholeNumber(0, Number.MAX_SAFE_INTEGER);
/** Accounts from a file imported over the web, each with a hash or a password that the guard hashes. */
const imported = objects(ENTRIES_PER_COMMAND, {
  name,
  hash: z.optional(hash),
  password: z.optional(password),
  quotaBytes: z.optional(quotaBytes),
});
const gone = texts(ENTRIES_PER_COMMAND, 320);
const secrets = objects(ENTRIES_PER_COMMAND, { name, hash, passwordHash, quotaBytes: z.optional(quotaBytes) });
/** The result for the accounts of a file. Each account is in at most one list. */
export type FileChanges = Readonly<{
  added: readonly string[];
  changed: readonly string[];
  suspended: readonly string[];
  resumed: readonly string[];
  /** Only their quota changed. */
  quotas: readonly string[];
  skipped: readonly Readonly<{ name: string; why: string }>[];
}>;
type Named = OutputOf<typeof named>;

const MATCHING = "Only those with this in their name.";

export const ACCOUNT_VERBS = [
  /** An account's current state; null: there is no account of this name. */
  verb("account_state", READ, { name }, reads<{ readonly state: AccountState | null }>("state")),
  verb("account_create_hashed", ROOT, secret, rootChanges<Named>("name")),
  verb("account_set_hash", ROOT, secret, rootChanges<Named>("name")),
  /** With the password itself, which the guard hashes: the web may not choose the hash that is stored. */
  verb("account_create", PROVEN_ADMIN, { ...ofAccount, password }, changesWithSecret<Named>("name", "accounts")),
  verb("account_set_password", PROVEN_ADMIN, { ...ofAccount, password }, changesWithSecret<Named>("name", "lockout")),
  verb("accounts_import", PROVEN_ADMIN, { entries: imported }, changes<FileChanges>("skipped", "imported")),
  /** Some accounts of a file; `hash` includes its scheme. Existing accounts stay as they are. */
  verb("accounts_import_hashed", ROOT, { entries: secrets }, rootChanges<FileChanges>("skipped")),
  /** Changes in the followed accounts file, some at a time: `entries` that it has, and names that are `gone` from it. */
  verb("accounts_follow", ROOT, { entries: secrets, gone }, rootChanges<FileChanges>("skipped")),
  /** Stores keys that the account's current password opens from now on; `hash` is the hash of that password. */
  verb("mail_keys_recover", ROOT, { ...ofAccount, hash, keys: accountKeys }, rootChanges<Named>("name")),
  verb("account_list", ADMIN, search(MATCHING, MOST_LISTED), reads(listed)).http(
    "GET /accounts",
    "Accounts by name, a page at a time: all, or those that contain a text. Never a password.",
  ),
  verb("account_details", ADMIN, ofAccount, reads(details)).http(
    "GET /accounts/{name}",
    "One account: its state, its last sign-in, how full its mailbox is, and its aliases.",
  ),
  verb("access_review", ADMIN, search(MATCHING, MOST_REVIEWED), reads(reviewed)).http(
    "GET /access",
    "Who can read each account's mail, and where it is forwarded: all accounts, or those that contain a text.",
  ),
  /** Needs no proof, because it only takes rights away and may be urgent. */
  verb("account_suspend", ADMIN, ofAccount, changes(withHeld, "lockout"))
    .http(
      "POST /accounts/{name}/suspend",
      "Suspends an account: sign-ins fail, mail still arrives, and its own mail that is still in the queue is held.",
    )
    .cli(
      "account suspend ADDRESS",
      "Block sign-ins to an account and hold its queued mail; mail to it still arrives.",
      {
        words: ["name"],
        done: ({ name, held }) => {
          const queued = ` ${held} of its mails in the queue ${held === 1 ? "is" : "are"} held.`;
          const suspended = `${name} cannot sign in any more; its open sessions were ended. Mail for it still arrives.`;
          return held === 0 ? suspended : suspended + queued;
        },
        next: ({ name, held }) => `account ${held === 0 ? "resume" : "held"} ${name}`,
      },
    ),
  verb("account_resume", PROVEN_ADMIN, ofAccount, changes(resumed, "accounts"))
    .http("POST /accounts/{name}/resume", "Lets a suspended account sign in again.")
    .cli("account resume ADDRESS", "Let a suspended account sign in again.", {
      words: ["name"],
      done: ({ name, held, isHeld }) => {
        const still = ` ${held} of its mails ${held === 1 ? "is" : "are"} still held.`;
        const further = " Its further mail is held until you release the account.";
        return `${name} can sign in again.${held === 0 ? "" : still}${isHeld ? further : ""}`;
      },
      next: ({ name, held, isHeld }) => {
        if (held > 0) return `account release ${name}, or account drop ${name}`;
        return isHeld ? `account release ${name}` : "account list";
      },
    }),
  verb("account_remove", PROVEN_ADMIN, ofAccount, changes(removed, "lockout")).http(
    "DELETE /accounts/{name}",
    "Removes an account, and takes it out of aliases and others' forwards; its mail stays on the disk.",
  ),
  verb("quota_set", ADMIN, { ...ofAccount, quotaBytes: quota }, changes(quotaSet, "lockout")).http(
    "PUT /accounts/{name}/quota",
    "Sets the quota of an account, or restores that of the settings.",
  ),
  verb("networks_add", PROVEN_ADMIN, { ...ofAccount, networks }, changes(networksOf, "lockout")).http(
    "POST /accounts/{name}/networks",
    "Adds networks from which the account may sign in, and ends its open sessions.",
  ),
  verb("networks_remove", PROVEN_ADMIN, { ...ofAccount, networks }, changes(networksOf, "lockout")).http(
    "DELETE /accounts/{name}/networks/{network}",
    "Removes a network; without any, the account may sign in from anywhere that `logins.networks` allows.",
    { named: { networks: "network" }, fields: { networks: oneNetwork } },
  ),
] as const;
