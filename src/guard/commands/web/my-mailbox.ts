import type { DetailedAccount } from "../../../admin/accounts.ts";
import type { CommandError, ParsedCommand, Reply } from "../../../admin/declare/control.ts";
import type { MyClient } from "../../../admin/me.ts";
import { passwordProblem } from "../../../core/access/passwords.ts";
import { type AccountName, parseAccountName } from "../../../core/net/address.ts";
import { plural } from "../../../core/text.ts";
import { isoTime, MINUTE_MS } from "../../../core/time.ts";
import type { Keeper, SessionStore } from "../../admin-ports.ts";
import { Budgets } from "../../budget.ts";
import type { AccountPasswords, Outcome } from "../../ports.ts";
import { type AccountListParts, accountDetails } from "../accounts/account-lists.ts";
import { endSessions } from "../accounts/accounts.ts";
import type { GreylistCommandParts } from "../greylist.ts";
import { recordDone, recordFirst } from "../record-first.ts";
import { failed, usage } from "../refusals.ts";
import type { SpamCommandParts } from "../spam.ts";
import { type OfCaller, UNAUTHORIZED, type WebCaller } from "./command-gate.ts";
import type { UserBounds } from "./user-bounds.ts";
import type { WebPasswordParts } from "./web-passwords.ts";

export type MyMailboxParts = MyChangeParts &
  Readonly<{
    /** This server's name, and the ports for mailboxes and for submission. */
    mailPorts: () => Omit<MyClient, "account">;
  }>;
type MyCommand = Extract<ParsedCommand, { readonly verb: `my_${string}` }>;
type By = OfCaller & Readonly<{ by: string }>;

/** How often a minute Dovecot is asked for a mailbox's use: each time starts a program. */
const LOOKS_A_MINUTE = 30;
/** For how many users at once: Dovecot looks into every folder, and the keeper has few connections for the guard's other requests. */
const LOOKS_AT_ONCE = 4;
/** Addresses that lead to one account. */
const MOST_ADDRESSES = 1_000;

/**
 * What the user of a mailbox sees and changes. The account is always that of the caller's session: `my_*` commands name none, and
 * others must name the session's (`CommandGate`). An answer contains nothing about other accounts, not even their names.
 */
export class MyMailboxCommands {
  readonly #parts: MyMailboxParts;
  readonly #bounds: Pick<UserBounds, "refusesToJudge">;
  readonly #looks = new Budgets<AccountName>(LOOKS_A_MINUTE, MINUTE_MS);
  #looking = 0;

  constructor(parts: MyMailboxParts, bounds: Pick<UserBounds, "refusesToJudge">) {
    this.#parts = parts;
    this.#bounds = bounds;
  }

  async run(command: MyCommand, { caller, by }: By): Promise<Reply> {
    const { book, senders, sessions, mailPorts, clock } = this.#parts;
    const account = parseAccountName(caller?.item.account ?? "");
    if (caller === null || account === null) return UNAUTHORIZED;
    switch (command.verb) {
      case "my_mailbox":
        return this.#mailbox(account);
      case "my_addresses":
        return { ok: true, result: { account, addresses: book.addressesOf(account, MOST_ADDRESSES) } };
      case "my_client":
        return { ok: true, result: { account, ...mailPorts() } };
      case "my_sessions": {
        const items = sessions.list(account, clock.now());
        return { ok: true, result: { items: items.map((one) => ({ ...one, isOwn: one.id === caller.item.session })) } };
      }
      case "my_senders": {
        const own = senders.allowedSenders().filter((one) => one.account === account);
        return { ok: true, result: { items: own.map(({ sender, at }) => ({ sender, at })) } };
      }
      case "my_password":
        return myPassword(this.#parts, command.password, { account, caller, by });
      case "my_sessions_end":
        return mySessionsEnd(this.#parts, { account, caller, by });
    }
  }

  /** Whether a new password may be set now: asked before the web judges it, which costs more than setting it. */
  mayChangePassword(password: string, caller: WebCaller): Reply<"my_password"> {
    const account = parseAccountName(caller.item.account ?? "");
    if (account === null) return UNAUTHORIZED;
    return (
      this.#bounds.refusesToJudge(account) ??
      whyNotSet(this.#parts, password, account) ?? { ok: true, result: { done: true } }
    );
  }

  async #mailbox(account: AccountName): Promise<Reply<"my_mailbox">> {
    const { keeper, pauses, clock } = this.#parts;
    const now = clock.now();
    const mayLook = this.#looking < LOOKS_AT_ONCE && this.#looks.spend(account, now);
    const parts = { ...this.#parts, keeper: mayLook ? keeper : UNASKED };
    if (mayLook) this.#looking += 1;
    const details = await accountDetails(parts, { verb: "account_details", name: account }).finally(() => {
      if (mayLook) this.#looking -= 1;
    });
    if (!details.ok) return UNAUTHORIZED;
    const pause = pauses.pauses(now).find(({ target }) => target === account);
    return { ok: true, result: mailboxOf(details.result, pause === undefined ? null : isoTime(pause.until)) };
  }
}

type OfMailbox = OfCaller & Readonly<{ mailbox: MyMailboxCommands }>;
const myCommand = (_: unknown, command: MyCommand, by: string, { mailbox, caller }: OfMailbox) =>
  mailbox.run(command, { caller, by });

export const MY_RUNS = {
  my_mailbox: myCommand,
  my_addresses: myCommand,
  my_client: myCommand,
  my_sessions: myCommand,
  my_sessions_end: myCommand,
  my_password: myCommand,
  my_senders: myCommand,
};

const UNASKED: Keeper = { ask: () => Promise.resolve({ ok: false, reason: "it was asked often enough" }) };

function mailboxOf(details: DetailedAccount, greylistPausedUntil: string | null) {
  const { name: account, quotaBytes, usualQuotaBytes, use, aliases, networks, guarded, passwordsOnServer } = details;
  return {
    account,
    quotaBytes: quotaBytes ?? usualQuotaBytes,
    usedBytes: use?.usedBytes ?? null,
    mails: use?.mails ?? null,
    // Their other targets may be other people's accounts.
    aliases: aliases.map(({ address }) => address),
    networks,
    guarded: guarded !== null,
    greylistPausedUntil,
    passwordOnServer: passwordsOnServer,
  };
}

type MyChangeParts = AccountListParts &
  WebPasswordParts &
  GreylistCommandParts &
  SpamCommandParts &
  Readonly<{
    sessions: SessionStore;
    /** Sessions as Dovecot sees them. */
    active: AccountPasswords;
  }>;

/** The mailbox, its user's session, and the actor to record. */
type Of = Readonly<{ account: AccountName; caller: WebCaller; by: string }>;

const ON_SERVER = failed(
  "Your mail is encrypted with a key that your password opens, so a new password can be set only on the server.",
  "Ask the administrator of this server.",
);

/**
 * A new password ends every session of the account, at this page and in mail programs, except the caller's. Sets no password if
 * the owner ended the session, suspended the account or set a different password while the new one was hashed.
 */
async function myPassword(
  parts: MyChangeParts,
  password: string,
  { account, caller, by }: Of,
): Promise<Reply<"my_password">> {
  const refused = whyNotSet(parts, password, account);
  if (refused !== null) return refused;
  const { sessions, accounts, active, engine, clock } = parts;
  const own = () => sessions.list(account, clock.now()).find(({ id }) => id === caller.item.session);
  const asking = own();
  const former = active.storedHash(account);
  if (asking === undefined || former === null) return UNAUTHORIZED;
  const [made] = await parts.secrets.make([{ owner: account, password }]);
  if (made === undefined) throw new Error("no hash was made of a password");
  const isStill = (): boolean => own() !== undefined && active.storedHash(account) === former;
  const change = (): Outcome => (isStill() ? accounts.setPassword(account, made.hash) : ENDED);
  const changed = { type: "SET_PASSWORD", account: account.toLowerCase(), passwordHash: made.passwordHash } as const;
  const outcome = await recordFirst(parts, {
    change,
    record: () => engine.audit({ type: "PASSWORD_CHANGED", subject: account, by }, [changed]),
    refused: (reason) => (isStill() ? failed(reason, "Ask the administrator of this server.") : UNAUTHORIZED),
  });
  if (!outcome.ok) return outcome;
  const { digest, ip } = caller;
  sessions.open({ digest, id: asking.id, account, device: asking.device, ip, at: clock.now() });
  return (await endSessions(parts, account)) ?? { ok: true, result: { done: true } };
}

/** Returns why the user cannot set this password, or null. */
function whyNotSet(
  { mailboxes, accounts }: Pick<MyChangeParts, "mailboxes" | "accounts">,
  password: string,
  account: AccountName,
): CommandError | null {
  if (mailboxes().keyOfEach || accounts.hasKeys(account)) return ON_SERVER;
  const problem = passwordProblem(password, account);
  return problem === null ? null : usage(problem, "Choose another one.");
}

const ENDED: Outcome = { ok: false, reason: "The session has ended." };

async function mySessionsEnd(
  { sessions, engine }: Pick<MyChangeParts, "sessions" | "engine">,
  { account, caller, by }: Of,
): Promise<Reply<"my_sessions_end">> {
  const ended = sessions.end({ of: account, except: caller.item.session });
  if (ended === 0) return { ok: true, result: { ended } };
  const subject = `${plural(ended, "session")}, all but its own`;
  return recordDone(engine, { type: "SESSION_ENDED", subject, by }, { ended });
}
