import { type AccountName, parseAccountName } from "../../../core/net/address.ts";
import type { Reply } from "../../../wire/control/control.ts";
import type { AccountRow } from "../../../wire/verbs/accounts.ts";
import type { HeldMail } from "../../admin-ports.ts";
import type { Engine } from "../../engine.ts";
import { accountState } from "../../explain/account-state.ts";
import type { Clock } from "../../ports.ts";
import type { AccountHistory } from "../../storage-ports.ts";

export type AccountStateCommandParts = Readonly<{
  engine: Pick<Engine, "policy">;
  accountRow: (name: AccountName) => AccountRow | null;
  guesses: Pick<AccountHistory, "guesses" | "signIns">;
  heldMail: Pick<HeldMail, "accounts">;
  clock: Clock;
}>;

/** The current state of an account, for the web, which cannot read `accounts.db`. */
export function accountStateNow(
  { engine, accountRow, guesses: history, heldMail, clock }: AccountStateCommandParts,
  asked: string,
): Reply<"account_state"> {
  const name = parseAccountName(asked);
  const row = name === null ? null : accountRow(name);
  if (name === null || row === null) return { ok: true, result: { state: null } };
  const known = accountState({ history, heldMail, policy: engine.policy }, name, clock.now());
  return { ok: true, result: { state: { ...row, ...known } } };
}
