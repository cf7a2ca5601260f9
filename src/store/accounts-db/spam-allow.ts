import type { DatabaseSync } from "node:sqlite";
import type { SpamAllowStore } from "../../guard/mailbox-ports.ts";
import { iso, rowReader, text } from "../columns.ts";
import { type Prepares, prepared } from "../transactions.ts";
import { accountCheck, DONE, refused } from "./accounts.ts";

/** The senders whose mail accounts always accept. Throws if a database cannot be written. */
export function sqliteSpamAllow(engine: Prepares, accounts: DatabaseSync) {
  const sql = prepared(engine, {
    add: "INSERT INTO spam_allow (account, sender, by, at) VALUES (?, ?, ?, ?)",
    has: "SELECT 1 FROM spam_allow WHERE account = ? AND sender = ?",
    remove: "DELETE FROM spam_allow WHERE account = ? AND sender = ?",
    forget: "DELETE FROM spam_allow WHERE account = ?",
    list: "SELECT account, sender, by, at FROM spam_allow ORDER BY account, sender",
  });
  let changes = 0;
  const check = accountCheck(accounts);
  const aliases = accounts.prepare(
    "SELECT address, min(target) AS target FROM alias GROUP BY address HAVING count(*) = 1",
  );
  const wouldChange: SpamAllowStore["wouldChange"] = (verb, account, sender) => {
    const isThere = sql.has.get(account, sender) !== undefined;
    if (verb === "disallow") return isThere ? DONE : refused(`${sender} is not on the list of ${account}.`);
    return check(account) ?? (isThere ? refused(`${sender} is already allowed for ${account}.`) : DONE);
  };
  const allowedSenders = () => sql.list.all().map(allowedSender);
  return {
    allowSender: (account, sender, by, at) => {
      const outcome = wouldChange("allow", account, sender);
      if (outcome.ok) changes += Number(sql.add.run(account, sender, by, at).changes);
      return outcome;
    },
    disallowSender: (account, sender) => {
      const outcome = wouldChange("disallow", account, sender);
      if (outcome.ok) changes += Number(sql.remove.run(account, sender).changes);
      return outcome;
    },
    wouldChange,
    allowedSenders,
    /** Grows with each row that this store adds or removes for a command. */
    changes: (): number => changes,
    /**
     * The allowed senders for each address that leads to only one account: its own address, and aliases without other targets.
     * Deletes the lists of removed accounts, so that the next account with the same name starts without one.
     */
    byRecipient: (): ReadonlyMap<string, readonly string[]> => {
      const found = new Map<string, string[]>();
      for (const { account, sender } of allowedSenders()) {
        if (check(account) !== null) sql.forget.run(account);
        else found.getOrInsert(account, []).push(sender);
      }
      if (found.size === 0) return found;
      for (const row of aliases.all()) {
        const senders = found.get(text(row["target"]));
        if (senders !== undefined) found.set(text(row["address"]), senders);
      }
      return found;
    },
  } satisfies SpamAllowStore & Record<string, unknown>;
}

const allowedSender = rowReader({ account: text, sender: text, by: text, at: iso });
