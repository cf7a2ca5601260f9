import type { DetailedAccount } from "../../../admin/accounts.ts";
import type { CommandError, ParsedCommandOf, Reply, Verb } from "../../../admin/declare/control.ts";
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
import type { RunsOf } from "../run-of.ts";
import type { SpamCommandParts } from "../spam.ts";
import { type OfCaller, UNAUTHORIZED, type WebCaller } from "./command-gate.ts";
import type { UserBounds } from "./user-bounds.ts";
import type { WebPasswordParts } from "./web-passwords.ts";

type MyMailboxParts = AccountListParts &
  WebPasswordParts &
  GreylistCommandParts &
  SpamCommandParts &
  Readonly<{
    sessions: SessionStore;
    /** The passwords of accounts that may sign in. */
    active: AccountPasswords;
    /** This server's name, and the ports for mailboxes and for submission. */
    mailPorts: () => Omit<MyClient, "account">;
  }>;
type MyVerb = Extract<Verb, `my_${string}`>;
type OfMailbox = OfCaller & Readonly<{ mailbox: OwnMailbox }>;
/** The mailbox, its user's session, and the actor to record. */
type Own = Readonly<{ account: AccountName; caller: WebCaller; by: string }>;

/** How often a minute Dovecot is asked for a mailbox's use, which starts a program each time. */
const LOOKS_A_MINUTE = 30;
/** For how many users at once. Dovecot reads every folder, and the keeper has few connections for the guard's other requests. */
const LOOKS_AT_ONCE = 4;
/** Maximum addresses that lead to one account. */
const MOST_ADDRESSES = 1_000;

export type OwnMailbox = ReturnType<typeof createOwnMailbox>;

/** What users see of their mailbox. */
export function createOwnMailbox(parts: AccountListParts & Pick<GreylistCommandParts, "pauses">) {
  const looks = new Budgets<AccountName>(LOOKS_A_MINUTE, MINUTE_MS);
  let looking = 0;
  return async (account: AccountName): Promise<Reply<"my_mailbox">> => {
    const now = parts.clock.now();
    const mayLook = looking < LOOKS_AT_ONCE && looks.spend(account, now);
    if (mayLook) looking += 1;
    const asked = mayLook ? parts : { ...parts, keeper: UNASKED };
    const details = await accountDetails(asked, { verb: "account_details", name: account }).finally(() => {
      if (mayLook) looking -= 1;
    });
    if (!details.ok) return UNAUTHORIZED;
    const pause = parts.pauses.pauses(now).find(({ target }) => target === account);
    return { ok: true, result: mailboxOf(details.result, pause === undefined ? null : isoTime(pause.until)) };
  };
}

/**
 * What the user of a mailbox sees and changes. The account is always that of the caller's session: `my_*` commands name none, and
 * others must name the session's (`CommandGate`). An answer contains nothing about other accounts, not even their names.
 */
export const MY_RUNS = {
  my_mailbox: own((_, { account }, __, { mailbox }) => mailbox(account)),
  my_addresses: own(({ accountLists }, { account }) => {
    const row = accountLists.account(account);
    if (row === null) return UNAUTHORIZED;
    const { createdAt } = row;
    return { ok: true, result: { account, addresses: accountLists.addressesOf(account, MOST_ADDRESSES), createdAt } };
  }),
  my_client: own(({ mailPorts }, { account }) => ({ ok: true, result: { account, ...mailPorts() } })),
  my_sessions: own(({ sessions, clock }, { account, caller }) => {
    const items = sessions.list(account, clock.now());
    return { ok: true, result: { items: items.map((one) => ({ ...one, isOwn: one.id === caller.item.session })) } };
  }),
  my_senders: own(({ senders }, { account }) => {
    const allowed = senders.allowedSenders().filter((one) => one.account === account);
    return { ok: true, result: { items: allowed.map(({ sender, at }) => ({ sender, at })) } };
  }),
  my_password: own<"my_password">((parts, of, { password }) => myPassword(parts, password, of)),
  my_sessions_end: own(async ({ sessions, engine }, { account, caller, by }) => {
    const ended = sessions.end({ of: account, except: caller.item.session });
    if (ended === 0) return { ok: true, result: { ended } };
    const subject = `${plural(ended, "session")}, all but its own`;
    return recordDone(engine, { type: "SESSION_ENDED", subject, by }, { ended });
  }),
} satisfies RunsOf<MyMailboxParts, OfMailbox>;

type Run<V extends MyVerb> = (
  parts: MyMailboxParts,
  own: Own,
  command: ParsedCommandOf<V>,
  at: OfMailbox,
) => Promise<Reply<V>> | Reply<V>;

/** Runs a command for the mailbox of the caller's session. */
function own<V extends MyVerb = MyVerb>(run: Run<V>) {
  return (parts: MyMailboxParts, command: ParsedCommandOf<V>, by: string, at: OfMailbox) => {
    const { caller } = at;
    const account = parseAccountName(caller?.item.account ?? "");
    return caller === null || account === null ? UNAUTHORIZED : run(parts, { account, caller, by }, command, at);
  };
}

const UNASKED: Keeper = { ask: () => Promise.resolve({ ok: false, reason: "it was asked too often" }) };

function mailboxOf(details: DetailedAccount, greylistPausedUntil: string | null) {
  const { name: account, quotaBytes, usualQuotaBytes, use, aliases, networks, guarded, passwordsOnServer } = details;
  return {
    account,
    quotaBytes: quotaBytes ?? usualQuotaBytes,
    usedBytes: use?.usedBytes ?? null,
    mails: use?.mails ?? null,
    // Without their targets, which may be other people's accounts.
    aliases: aliases.flatMap(({ address, blocked }) => (blocked ? [] : [address])),
    networks,
    guarded: guarded !== null,
    greylistPausedUntil,
    passwordOnServer: passwordsOnServer,
  };
}

/** Whether a new password may be set now. The web asks before it judges the password, which costs more than setting it. */
export function mayChangePassword(
  parts: MyMailboxParts,
  bounds: Pick<UserBounds, "refusesToJudge">,
  password: string,
  caller: WebCaller,
): Reply<"my_password"> {
  const account = parseAccountName(caller.item.account ?? "");
  if (account === null) return UNAUTHORIZED;
  const refused = bounds.refusesToJudge(account) ?? whyNotSet(parts, password, account);
  return refused ?? { ok: true, result: { done: true } };
}

const ON_SERVER = failed(
  "Only the administrator can set your new password, because passwords here also protect stored mail.",
  "Ask the administrator of this server.",
);

/**
 * A new password ends every session of the account, at this page and in mail programs, except the caller's. Sets no password if
 * the owner ended the session, suspended the account or set a different password while the new one was hashed.
 */
async function myPassword(parts: MyMailboxParts, password: string, of: Own): Promise<Reply<"my_password">> {
  const { account, caller, by } = of;
  const refused = whyNotSet(parts, password, account);
  if (refused !== null) return refused;
  const { sessions, accounts, active, engine, clock } = parts;
  const session = () => sessions.list(account, clock.now()).find(({ id }) => id === caller.item.session);
  const asking = session();
  const former = active.storedHash(account);
  if (asking === undefined || former === null) return UNAUTHORIZED;
  const [made] = await parts.secrets.make([{ owner: account, password }]);
  if (made === undefined) throw new Error("no hash was made of a password");
  const isStill = (): boolean => session() !== undefined && active.storedHash(account) === former;
  const change = (): Outcome => (isStill() ? accounts.setPassword(account, made.hash) : ENDED);
  const changed = { type: "SET_PASSWORD", account, passwordHash: made.passwordHash } as const;
  const outcome = await recordFirst(parts, {
    change,
    record: () => engine.audit({ type: "PASSWORD_CHANGED", subject: account, by }, [changed]),
    refused: (reason) => (isStill() ? failed(reason, "Ask the administrator of this server.") : UNAUTHORIZED),
  });
  if (!outcome.ok) return outcome;
  const { digest, ip } = caller;
  sessions.open({ digest, id: asking.id, account, device: asking.device, ip, at: clock.now() });
  return (await endSessions(parts, account, by)) ?? { ok: true, result: { done: true } };
}

/** Returns why the user cannot set this password, or null. */
function whyNotSet(
  { mailboxes, accounts }: Pick<MyMailboxParts, "mailboxes" | "accounts">,
  password: string,
  account: AccountName,
): CommandError | null {
  if (mailboxes().keyOfEach || accounts.hasKeys(account)) return ON_SERVER;
  const problem = passwordProblem(password, account);
  return problem === null ? null : usage(problem, "Choose another one.");
}

const ENDED: Outcome = { ok: false, reason: "The session has ended." };
