import type { Policy } from "../../core/decide/policy.ts";
import { later, type Millis } from "../../core/time.ts";
import type { HeldAccountItem } from "../../wire/control/items.ts";
import type { HeldMail } from "../admin-ports.ts";
import { guessesAt } from "../facts/account-cache.ts";
import type { AccountHistory } from "../storage-ports.ts";

/** What the guard knows of an account now, as far as the database tells. */
export type AccountState = Readonly<{
  /** Strangers guess at its password, so new places are limited; null: they do not. */
  guarded: Readonly<{ guesses: number; windowMs: number }> | null;
  /** Null: its mail is not held. */
  held: HeldAccountItem | null;
  /** Addresses (IPv6 networks) from which it may sign in while it is guarded, the latest first. */
  known: readonly string[];
}>;

export type AccountStateParts = Readonly<{
  history: Pick<AccountHistory, "guesses" | "signIns">;
  heldMail: Pick<HeldMail, "accounts">;
  policy: Policy;
}>;

/** `account` in lower case. */
export function accountState(
  { history, heldMail, policy }: AccountStateParts,
  account: string,
  now: Millis,
): AccountState {
  const { failures: limit, windowMs, knownForMs } = policy.accounts;
  const guesses = guessesAt(history, policy, { name: account, network: null, pending: [] }, now);
  const signIns = history.signIns(account, later(now, -knownForMs));
  return {
    guarded: guesses < limit ? null : { guesses, windowMs },
    held: heldMail.accounts().find((one) => one.account === account) ?? null,
    known: [...new Set(signIns.map(({ prefix }) => prefix))],
  };
}
