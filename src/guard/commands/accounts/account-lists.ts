import { type LastSignIn, noAccount } from "../../../admin/accounts.ts";
import type { CommandError, ParsedCommandOf, Reply } from "../../../admin/declare/control.ts";
import { type AccountName, parseAccountName } from "../../../core/net/address.ts";
import type { AccountLists, Keeper, MailKeyStore } from "../../admin-ports.ts";
import type { AppPasswordStore, ForwardTargets } from "../../mailbox-ports.ts";
import { failed, keeperFault } from "../refusals.ts";
import type { RunsOf } from "../run-of.ts";
import type { Turn } from "../turns.ts";
import type { OfCaller } from "../web/command-gate.ts";
import { type AccountStateCommandParts, accountState, accountStateNow, guardedState } from "./account-state.ts";

export type AccountListParts = AccountStateCommandParts &
  Readonly<{
    accountLists: AccountLists;
    lastSignIn: (account: string) => LastSignIn | null;
    keeper: Keeper;
    accounts: Pick<MailKeyStore, "hasKeys">;
    /** From the settings: the default quota, and whether each account has a key for its mail. */
    mailboxes: () => Readonly<{ quotaBytes: number; keyOfEach: boolean }>;
  }>;

/** Maximum aliases listed for one account. */
const MOST_ALIASES = 100;

/** A page of accounts, each with what the guard knows about it. */
function accountList(parts: AccountListParts, asked: ParsedCommandOf<"account_list">): Reply<"account_list"> {
  const { accountLists, heldMail, clock, lastSignIn, mailboxes } = parts;
  const { items, next, total } = accountLists.accounts(asked);
  const aliases = accountLists.aliasCounts(items.map(({ name }) => name));
  const held = new Set(heldMail.accounts().map(({ account }) => account));
  const now = clock.now();
  const listed = items.map((row) => ({
    ...row,
    guarded: guardedState(parts, row.name, now) !== null,
    held: held.has(row.name),
    aliases: aliases.get(row.name) ?? 0,
    lastSignIn: lastSignIn(row.name),
  }));
  return { ok: true, result: { items: listed, next, total, passwordsOnServer: mailboxes().keyOfEach } };
}

/** Everything about one account that a page shows. The use of its mailbox is unknown while the keeper or Dovecot is down. */
export async function accountDetails(
  parts: AccountListParts,
  { name }: ParsedCommandOf<"account_details">,
): Promise<Reply<"account_details">> {
  const row = parts.accountLists.account(name);
  if (row === null) return missingAccount(name);
  const { accountLists, keeper, lastSignIn } = parts;
  const { quotaBytes, keyOfEach } = parts.mailboxes();
  const result = {
    ...row,
    ...accountState(parts, name, parts.clock.now()),
    lastSignIn: lastSignIn(name),
    aliases: accountLists.aliasesTo(name, MOST_ALIASES),
    aliasesTotal: accountLists.aliasCounts([name]).get(name) ?? 0,
    use: await keeper
      .ask({ verb: "mailbox_use", account: name })
      .then((reply) => (reply.ok ? (reply.mailbox ?? null) : null)),
    usualQuotaBytes: quotaBytes,
    passwordsOnServer: keyOfEach || parts.accounts.hasKeys(name),
  };
  return { ok: true, result };
}

export function missingAccount(name: AccountName): CommandError {
  return { ...failed(noAccount(name), "`account list` shows the accounts."), isMissing: true };
}

type AccessReviewParts = Pick<AccountListParts, "accountLists" | "lastSignIn" | "keeper"> &
  Readonly<{ appPasswords: Pick<AppPasswordStore, "appPasswordsOf">; forwards: Pick<ForwardTargets, "targetsOf"> }>;

/** Maximum addresses listed for one account. */
const MOST_ADDRESSES = 100;

/** Lists a page of accounts: who can read the mail of each, and where it is forwarded. Only root reads the users' Sieve scripts. */
async function accessReview(
  { accountLists, lastSignIn, keeper, appPasswords, forwards }: AccessReviewParts,
  asked: ParsedCommandOf<"access_review">,
): Promise<Reply<"access_review">> {
  const { items, next, total } = accountLists.accounts(asked);
  const rows = items.flatMap((row) => {
    const name = parseAccountName(row.name);
    return name === null ? [] : [{ ...row, name }];
  });
  const reply = await keeper.ask({ verb: "redirects", accounts: rows.map(({ name }) => name) });
  if (!reply.ok || reply.redirects === undefined) return keeperFault(reply);
  const { redirects } = reply;
  const reviewed = rows.map(({ name, suspended, networks, createdAt }) => {
    const to = forwards.targetsOf(name);
    return {
      name,
      suspended,
      networks,
      createdAt,
      addresses: accountLists.addressesOf(name, MOST_ADDRESSES),
      appPasswords: appPasswords.appPasswordsOf(name).map((one) => one.name),
      lastSignIn: lastSignIn(name),
      forwards: [
        ...(to.length === 0 ? [] : [{ to, by: "account forward" }]),
        ...redirects.filter(({ address }) => address === name).map((one) => ({ to: one.to, by: one.by })),
      ],
    };
  });
  return { ok: true, result: { items: reviewed, next, total } };
}

export const ACCOUNT_LIST_RUNS = {
  account_list: accountList,
  account_details: accountDetails,
  account_state: accountStateNow,
  access_review: (parts, asked, _, { reviews, caller }) => reviews(caller, () => accessReview(parts, asked)),
} satisfies RunsOf<AccountListParts & AccessReviewParts, OfCaller & Readonly<{ reviews: Turn }>>;
