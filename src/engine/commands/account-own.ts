import { parseAccountName } from "../../core/net/address.ts";
import type { Command, Reply } from "../../wire/control/control.ts";
import type { AppPasswordStore, ForwardStore, VacationStore } from "../mailbox-ports.ts";
import type { AccountStateCommandParts } from "./account-state.ts";
import { told } from "./vacation.ts";

type AccountOwnParts = Pick<AccountStateCommandParts, "accountRow"> &
  Readonly<{
    appPasswords: Pick<AppPasswordStore, "appPasswordsOf">;
    forwards: Pick<ForwardStore, "forwardingOf">;
    vacations: Pick<VacationStore, "vacationOf">;
  }>;

type AccountOwnVerb = "app_passwords" | "forwarding" | "vacation";

/** What users set for themselves, as the owner sees it of any account. */
export function accountOwn(
  { accountRow, appPasswords, forwards, vacations }: AccountOwnParts,
  command: Extract<Command, { readonly verb: AccountOwnVerb }>,
): Reply<AccountOwnVerb> {
  const name = parseAccountName(command.name);
  if (name === null || accountRow(name) === null) return { ok: true, result: { account: null } };
  switch (command.verb) {
    case "app_passwords":
      return { ok: true, result: { account: { appPasswords: appPasswords.appPasswordsOf(name) } } };
    case "forwarding":
      return { ok: true, result: { account: { forwarding: forwards.forwardingOf(name) } } };
    case "vacation":
      return { ok: true, result: { account: { vacation: told(vacations.vacationOf(name)) } } };
  }
}
