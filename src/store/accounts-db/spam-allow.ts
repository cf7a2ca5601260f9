import type { DatabaseSync } from "node:sqlite";
import { noAccount } from "../../admin/accounts.ts";
import type { AllowedSenderItem } from "../../admin/filters.ts";
import type { AccountName, SenderPattern } from "../../core/net/address.ts";
import { isoTime, type Millis } from "../../core/time.ts";
import type { SpamAllowStore } from "../../guard/mailbox-ports.ts";
import type { Outcome } from "../../guard/ports.ts";
import { millis, text } from "../columns.ts";
import { type Prepares, prepared } from "../transactions.ts";

/** The senders whose mail accounts always accept. Throws if a database cannot be written. */
export class SqliteSpamAllow implements SpamAllowStore {
  readonly #sql;
  readonly #accounts;

  constructor(engine: Prepares, accounts: DatabaseSync) {
    this.#sql = prepared(engine, {
      add: "INSERT INTO spam_allow (account, sender, by, at) VALUES (?, ?, ?, ?)",
      has: "SELECT 1 FROM spam_allow WHERE account = ? AND sender = ?",
      remove: "DELETE FROM spam_allow WHERE account = ? AND sender = ?",
      forget: "DELETE FROM spam_allow WHERE account = ?",
      list: "SELECT account, sender, by, at FROM spam_allow ORDER BY account, sender",
    });
    this.#accounts = prepared(accounts, {
      one: "SELECT 1 FROM account WHERE name = ?",
      aliases: "SELECT address, min(target) AS target FROM alias GROUP BY address HAVING count(*) = 1",
    });
  }

  allowSender(account: AccountName, sender: SenderPattern, by: string, at: Millis): Outcome {
    const outcome = this.wouldChange("allow", account, sender);
    if (outcome.ok) this.#sql.add.run(account, sender, by, at);
    return outcome;
  }

  disallowSender(account: AccountName, sender: SenderPattern): Outcome {
    const outcome = this.wouldChange("disallow", account, sender);
    if (outcome.ok) this.#sql.remove.run(account, sender);
    return outcome;
  }

  wouldChange(verb: "allow" | "disallow", account: AccountName, sender: SenderPattern): Outcome {
    const isThere = this.#sql.has.get(account, sender) !== undefined;
    if (verb === "disallow")
      return isThere ? { ok: true } : { ok: false, reason: `${sender} is not on the list of ${account}.` };
    if (this.#accounts.one.get(account) === undefined) return { ok: false, reason: noAccount(account) };
    return isThere ? { ok: false, reason: `${sender} is already allowed for ${account}.` } : { ok: true };
  }

  allowedSenders(): readonly AllowedSenderItem[] {
    return this.#sql.list.all().map((row) => ({
      account: text(row["account"]),
      sender: text(row["sender"]),
      by: text(row["by"]),
      at: isoTime(millis(row["at"])),
    }));
  }

  /**
   * The senders, for each address that leads to one account only: the account's own, and aliases without other targets.
   * Deletes the lists of removed accounts, so that the next account with the name starts without one.
   */
  byRecipient(): ReadonlyMap<string, readonly string[]> {
    const found = new Map<string, string[]>();
    for (const { account, sender } of this.allowedSenders()) {
      if (this.#accounts.one.get(account) === undefined) this.#sql.forget.run(account);
      else found.set(account, [...(found.get(account) ?? []), sender]);
    }
    if (found.size === 0) return found;
    for (const row of this.#accounts.aliases.all()) {
      const senders = found.get(text(row["target"]));
      if (senders !== undefined) found.set(text(row["address"]), senders);
    }
    return found;
  }
}
