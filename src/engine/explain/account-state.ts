import type { Policy } from "../../core/decide/policy.ts";
import { later, type Millis } from "../../core/time.ts";
import type { AccountKnown } from "../../wire/verbs/accounts.ts";
import type { HeldMail } from "../admin-ports.ts";
import { guessesAt } from "../facts/account-cache.ts";
import type { AccountHistory } from "../storage-ports.ts";

export type AccountStateParts = Readonly<{
  history: Pick<AccountHistory, "guesses" | "signIns">;
  heldMail: Pick<HeldMail, "accounts">;
  policy: Policy;
}>;

/** What the guard knows about an account now, from the database. `account` in lower case. */
export function accountState(
  { history, heldMail, policy }: AccountStateParts,
  account: string,
  now: Millis,
): AccountKnown {
  const { failures: limit, windowMs, knownForMs } = policy.accounts;
  const guesses = guessesAt(history, policy, { name: account, network: null, pending: [] }, now);
  const signIns = history.signIns(account, later(now, -knownForMs));
  return {
    guarded: guesses < limit ? null : { guesses, windowMs },
    held: heldMail.accounts().find((one) => one.account === account) ?? null,
    known: [...new Set(signIns.map(({ prefix }) => prefix))],
  };
}
