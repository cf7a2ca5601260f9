import { plural } from "../../core/text.ts";
import { DAY_MS } from "../../core/time.ts";
import type { KeyCounts } from "../../wire/control/account-key.ts";
import type { AccountItem } from "../../wire/control/items.ts";
import { PAGE } from "../../wire/control/paging.ts";
import { PROGRAM } from "../call.ts";
import { MOST_NAMED, recoverCommand } from "../print/mail-keys.ts";
import { everyAccount } from "./every-account.ts";
import { type Finding, ok, some, unknown, warning, wrong } from "./finding.ts";
import type { Check } from "./server.ts";

const UNUSED_DAYS = 90;

/** No one can sign in to a suspended account, so it is not listed. An account that was never used counts from its creation. */
export function judgeUnused(
  accounts: readonly Pick<AccountItem, "name" | "suspended" | "createdAt" | "lastSignInAt">[],
  now: number,
): Finding {
  const since = now - UNUSED_DAYS * DAY_MS;
  const unused = accounts.filter(
    ({ suspended, createdAt, lastSignInAt }) => !suspended && Date.parse(lastSignInAt ?? createdAt) < since,
  );
  if (unused.length === 0) return ok(`${plural(accounts.length, "account")}: none was unused for ${UNUSED_DAYS} days.`);
  const names = unused.map(({ name, lastSignInAt }) => `${name} (${lastSignInAt?.slice(0, 10) ?? "never"})`);
  return warning(
    `${plural(unused.length, "account")} had no sign-in for ${UNUSED_DAYS} days: ${some(names)}.`,
    `${PROGRAM} account suspend ADDRESS`,
  );
}

export function judgeHeld(held: readonly string[]): Finding {
  if (held.length === 0) return ok("No account's mail is held.");
  return warning(
    `The mail of ${plural(held.length, "account")} is held, because someone else may be sending as it: ${some(held)}.`,
    `${PROGRAM} account held`,
  );
}

/** `byAccount`: new mail is encrypted with the account's keys. */
export function judgeKeys(counts: KeyCounts, byAccount: boolean): Finding {
  const { own, without, closed } = counts;
  if (closed.length > 0)
    return warning(
      `Older mail is locked, because the password was set without the recovery key: ${some(closed)}.`,
      recoverCommand("ADDRESS"),
    );
  if (!byAccount) return ok("Every account's password decrypts all of its mail.");
  if (without.length > 0)
    return warning(
      `The server's key encrypts the mail of these until their password is set: ${some(without)}.`,
      `${PROGRAM} account passwd ADDRESS`,
    );
  return ok(`${plural(own, "account")} ${own === 1 ? "has" : "have"} ${own === 1 ? "its" : "their"} own key.`);
}

type Known = Pick<AccountItem, "name" | "suspended">;

/** RFC 5321 section 4.5.1. `administrator`: the value of the setting; empty: the first account. */
export function judgePostmaster(
  accounts: readonly Known[],
  administrator: string,
  aliases: readonly string[],
): Finding {
  const says = `${PROGRAM} config set accounts.administrator ADDRESS`;
  const named = accounts.find(({ name }) => name === administrator);
  if (administrator !== "") {
    const isThere = named === undefined ? aliases.includes(administrator) : !named.suspended;
    if (isThere) return ok(`Mail for postmaster@ and abuse@ of each domain goes to ${administrator}.`);
    return wrong(`Mail for postmaster@ and abuse@ should go to ${administrator}, which accepts no mail.`, says);
  }
  if (accounts.some(({ suspended }) => !suspended))
    return ok("Mail for postmaster@ and abuse@ of each domain goes to the first account.");
  return wrong("No account could read mail for postmaster@ and abuse@.", `${PROGRAM} account add ADDRESS`);
}

export const accounts = [
  {
    name: "postmaster",
    does: "Checks who reads mail for postmaster@ and abuse@ of each domain.",
    look: async ({ reader, settings }) => {
      const read = await reader();
      if (read === null) return unknown("The guard does not answer.");
      const aliases = read.aliases({ limit: PAGE.most, cursor: null }).items.map(({ address }) => address);
      return judgePostmaster(everyAccount(read), settings["accounts.administrator"], aliases);
    },
  },
  {
    name: "unused",
    does: `Looks for accounts without a sign-in for ${UNUSED_DAYS} days.`,
    look: async ({ reader, now }) => {
      const read = await reader();
      return read === null ? unknown("The guard does not answer.") : judgeUnused(everyAccount(read), now);
    },
  },
  {
    name: "held",
    does: "Asks the guard which accounts' mail it holds.",
    look: async ({ guard }) => {
      const asked = await guard.ask<"held_list">({ verb: "held_list", name: null });
      return asked.ok ? judgeHeld(asked.result.accounts.map(({ account }) => account)) : unknown(asked.message);
    },
  },
  {
    name: "keys",
    does: "Looks for mail that its account's password cannot decrypt, and for accounts without their own key.",
    look: async ({ reader, settings }) => {
      const read = await reader();
      if (read === null) return unknown("The guard does not answer.");
      return judgeKeys(read.countKeys(MOST_NAMED), settings["mailboxes.encryption"] === "account");
    },
  },
] as const satisfies readonly Check[];
