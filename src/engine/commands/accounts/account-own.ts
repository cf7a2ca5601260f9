import { parseAccountName } from "../../../core/net/address.ts";
import type { Command, CommandError, Reply } from "../../../wire/control/control.ts";
import { mailboxOf } from "../../../wire/control/rights.ts";
import type { AppPasswordStore, ForwardStore, VacationStore } from "../../mailbox-ports.ts";
import type { AccountStateCommandParts } from "./account-state.ts";
import { vacationItem } from "./vacation.ts";

type AccountOwnParts = Pick<AccountStateCommandParts, "accountRow"> &
  Readonly<{
    appPasswords: Pick<AppPasswordStore, "appPasswordsOf">;
    forwards: Pick<ForwardStore, "forwardingOf">;
    vacations: Pick<VacationStore, "vacationOf">;
  }>;

type AccountOwnVerb = "app_passwords" | "forwarding" | "vacation";

/** What users set for themselves; the owner sees it for any account. `by` is the user or the owner. */
export function accountOwn(
  { accountRow, appPasswords, forwards, vacations }: AccountOwnParts,
  command: Extract<Command, { readonly verb: AccountOwnVerb }>,
  by: string,
): Reply<AccountOwnVerb> {
  const name = parseAccountName(command.name);
  if (name === null || accountRow(name) === null) return NO_ACCOUNT;
  switch (command.verb) {
    case "app_passwords": {
      const isUser = mailboxOf(by) !== null;
      const items = appPasswords.appPasswordsOf(name).map(({ name: id, madeAt, madeBy, usedAt }) => {
        const item = { id, name: id, made: madeAt, lastUsed: usedAt };
        return isUser ? item : { ...item, madeBy };
      });
      return { ok: true, result: { items } };
    }
    case "forwarding":
      return { ok: true, result: forwards.forwardingOf(name) ?? { to: [], keep: true } };
    case "vacation":
      return { ok: true, result: { vacation: vacationItem(vacations.vacationOf(name)) } };
  }
}

export const NO_ACCOUNT: CommandError = {
  ok: false,
  kind: "failed",
  message: "There is no such account.",
  next: "`account list` shows the accounts.",
  isMissing: true,
};
