import type { AccountKnown } from "../../../admin/accounts.ts";
import type { ParsedCommandOf, Reply } from "../../../admin/declare/control.ts";
import { parseAccountName } from "../../../core/net/address.ts";
import { later, type Millis } from "../../../core/time.ts";
import type { AccountLists, HeldMail } from "../../admin-ports.ts";
import type { Engine } from "../../engine.ts";
import { guessesAt } from "../../facts/login-facts.ts";
import type { Clock } from "../../ports.ts";
import type { AccountHistory } from "../../storage-ports.ts";

type AccountStateParts = Readonly<{
  engine: Pick<Engine, "policy">;
  accountHistory: Pick<AccountHistory, "guesses" | "signIns">;
  heldMail: Pick<HeldMail, "accounts">;
}>;

/** Null unless strangers guess at its password. */
export function guardedState(parts: AccountStateParts, account: string, now: Millis): AccountKnown["guarded"] {
  const { policy } = parts.engine;
  const { failures: limit, windowMs } = policy.accounts;
  const guesses = guessesAt(parts.accountHistory, policy, { name: account, network: null, pending: [] }, now);
  return guesses < limit ? null : { guesses, windowMs };
}

/** What the guard knows about an account now, from the database. `account` in lower case. */
export function accountState(parts: AccountStateParts, account: string, now: Millis): AccountKnown {
  const signIns = parts.accountHistory.signIns(account, later(now, -parts.engine.policy.accounts.knownForMs));
  return {
    guarded: guardedState(parts, account, now),
    held: parts.heldMail.accounts().find((one) => one.account === account) ?? null,
    known: [...new Set(signIns.map(({ prefix }) => prefix))],
  };
}

export type AccountStateCommandParts = AccountStateParts &
  Readonly<{ accountLists: Pick<AccountLists, "account">; clock: Clock }>;

export function accountStateNow(
  parts: AccountStateCommandParts,
  { name: asked }: ParsedCommandOf<"account_state">,
): Reply<"account_state"> {
  const name = parseAccountName(asked);
  const row = name === null ? null : parts.accountLists.account(name);
  if (name === null || row === null) return { ok: true, result: { state: null } };
  return { ok: true, result: { state: { ...row, ...accountState(parts, name, parts.clock.now()) } } };
}
