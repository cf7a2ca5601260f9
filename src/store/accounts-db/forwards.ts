import type { DatabaseSync } from "node:sqlite";
import { noAccount } from "../../admin/accounts.ts";
import type { Forwarding } from "../../admin/mailboxes.ts";
import type { SentMail } from "../../core/decide/facts.ts";
import { type AccountName, type Address, withoutExtension } from "../../core/net/address.ts";
import { DAY_MS, type Millis } from "../../core/time.ts";
import type { ForwardStore, NewTargets } from "../../guard/commands/accounts/forwarding.ts";
import type { CountedForwards } from "../../guard/mailbox-ports.ts";
import type { Outcome } from "../../guard/ports.ts";
import type { TimeSpan } from "../../guard/storage-ports.ts";
import { integer, millis, text } from "../columns.ts";
import { type Prepared, prepared, together } from "../transactions.ts";

/** The forwards of accounts, in `accounts.db`. Postfix sees each change at once. Throws if the file cannot be written. */
export class SqliteForwards implements ForwardStore {
  readonly #db: DatabaseSync;
  readonly #sql: Prepared<typeof SQL>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#sql = prepared(db, SQL);
  }

  setForward(account: AccountName, to: readonly Address[], keep: boolean, newTargets: NewTargets | null): Outcome {
    if (this.#sql.account.get(account) === undefined) return { ok: false, reason: noAccount(account) };
    const blocked = to.find((target) => this.#sql.isBlocked.get(target) !== undefined);
    if (blocked !== undefined) return { ok: false, reason: `The alias ${blocked} is blocked, so it accepts no mail.` };
    together(this.#db, () => {
      this.#sql.forget.run(account);
      // A copy for the account itself is one more target.
      for (const target of to.length > 0 && keep ? [account, ...to] : to) this.#sql.add.run(account, target);
      if (newTargets === null) this.#sql.forgetNew.run(account);
      else for (const target of newTargets.targets) this.#sql.addNew.run(account, target, newTargets.until);
    });
    return { ok: true };
  }

  forwardOf(account: string): Forwarding | null {
    return readForwarding(this.#db, account);
  }

  targetsOf(account: string): readonly string[] {
    return this.forwardOf(account)?.to ?? [];
  }

  spendTargets(of: AccountName | "aliases", added: number, most: number, { since, until }: TimeSpan): boolean {
    let left = 0;
    together(this.#db, () => {
      this.#sql.forgetSpent.run(since, until);
      left = Math.max(0, most - integer(this.#sql.spent.get(of)?.["spent"]));
      if (left > 0) this.#sql.spend.run(of, until, Math.min(added, left));
    });
    return added <= left;
  }

  targets(): readonly string[] {
    return this.#sql.targets.all().map((row) => text(row["target"]));
  }
}

/** Null: its mail is not forwarded. The connection may be read-only. */
function readForwarding(db: DatabaseSync, account: string): Forwarding | null {
  const all = db
    .prepare("SELECT target FROM forward WHERE account = ? ORDER BY target")
    .all(account)
    .map((row) => text(row["target"]));
  const to = all.filter((target) => target.toLowerCase() !== account.toLowerCase());
  return to.length === 0 ? null : { to, keep: to.length < all.length };
}

const SQL = {
  account: "SELECT 1 FROM account WHERE name = ?",
  isBlocked: "SELECT 1 FROM alias_block WHERE address = ?",
  forget: "DELETE FROM forward WHERE account = ?",
  targets: "SELECT target FROM forward WHERE target <> account",
  forgetSpent: "DELETE FROM target_spent WHERE at <= ? OR at > ?",
  spent: "SELECT coalesce(sum(count), 0) AS spent FROM target_spent WHERE of_whom = ?",
  spend:
    "INSERT INTO target_spent (of_whom, at, count) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
  forgetNew: "DELETE FROM new_forward WHERE account = ?",
  // A paused target stays paused after it is removed and added again.
  addNew:
    "INSERT INTO new_forward (account, target, until) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until",
  add: "INSERT INTO forward (account, target) VALUES (?, ?) ON CONFLICT DO NOTHING",
};

/** Forwards that root has not set, in `accounts.db`. Postfix sees at once which of them are paused. */
export class SqliteCountedForwards implements CountedForwards {
  readonly #sql: Prepared<typeof NEW_SQL>;
  /**
   * Whether there is one, as of change number `#changes`. It is read again only after a further change, because each read takes a lock, and
   * every recipient needs it.
   */
  #isAny = false;
  #changes: number | null = null;

  /** `db`: the connection that writes, because total_changes() counts only a connection's own changes. */
  constructor(db: DatabaseSync) {
    this.#sql = prepared(db, NEW_SQL);
  }

  reached(recipient: string, now: Millis): ReturnType<CountedForwards["reached"]> {
    // Few servers have one, and an alias may have a thousand targets.
    if (!this.#hasAny()) return [];
    return this.#sql.reached
      .all(recipient, withoutExtension(recipient), now, now)
      .map((row) => ({ account: text(row["account"]), target: text(row["target"]), isNew: row["is_new"] === 1 }));
  }

  sent(account: string, since: Millis): readonly SentMail[] {
    return this.#sql.sent.all(account, since).map((row) => {
      const recipients = integer(row["recipients"]);
      const strangers = integer(row["strangers"]);
      return { at: millis(row["at"]), recipients, written: recipients - strangers, strangers };
    });
  }

  count(account: string, { at, recipients, strangers }: SentMail): void {
    this.#sql.forget.run(at - DAY_MS, at);
    this.#sql.forgetOld.run(at - DAY_MS);
    this.#sql.count.run(account, at, recipients, strangers);
  }

  pause(account: string, { now, until, which }: Parameters<CountedForwards["pause"]>[1]): void {
    this.#sql.pause.run(until, account, which === "new" ? now : 0);
  }

  #hasAny(): boolean {
    const changes = integer(this.#sql.changes.get()?.["n"]);
    if (changes !== this.#changes) this.#isAny = this.#sql.any.get() !== undefined;
    this.#changes = changes;
    return this.#isAny;
  }
}

const NEW_SQL = {
  changes: "SELECT total_changes() AS n",
  any: "SELECT 1 FROM new_forward LIMIT 1",
  reached: `
    WITH RECURSIVE reached (address) AS (
      SELECT lower(?) UNION SELECT lower(?)
      UNION SELECT lower(onward.target) FROM reached JOIN onward ON onward.address = reached.address
    )
    SELECT new_forward.account, new_forward.target, new_forward.until > ? AS is_new
    FROM reached
      JOIN new_forward ON new_forward.account = reached.address
      JOIN forward ON forward.account = new_forward.account AND forward.target = new_forward.target
    WHERE new_forward.paused_until <= ?`,
  sent: "SELECT at, recipients, strangers FROM new_forward_sent WHERE account = ? AND at > ? ORDER BY at",
  forget: "DELETE FROM new_forward_sent WHERE at <= ? OR at > ?",
  forgetOld: `
    DELETE FROM new_forward WHERE max(until, paused_until) <= ? AND NOT EXISTS (
      SELECT 1 FROM forward WHERE forward.account = new_forward.account AND forward.target = new_forward.target)`,
  count: `
    INSERT INTO new_forward_sent (account, at, recipients, strangers) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET recipients = recipients + excluded.recipients, strangers = strangers + excluded.strangers`,
  pause: "UPDATE new_forward SET paused_until = ? WHERE account = ? AND until > ?",
};

/** Whether a copy of forwarded mail stays in the mailbox. */
const KEEPS = "EXISTS (SELECT 1 FROM forward AS own WHERE own.account = forward.account AND own.target = own.account)";

/** The entry of forwards in `SETTING_TABLES` (`setting-tables.ts` beside it). Its tables are in `schema.ts`: views there need them. */
export const FORWARDS = {
  key: "forwards",
  store: (db: DatabaseSync) => new SqliteForwards(db),
  tables: ["forward", "target_spent", "new_forward", "new_forward_sent"],
  says: "forwards",
  undo: "account forward ADDRESS --off",
  rows: {
    from: "forward WHERE target <> account",
    name: `account || ' to ' || target || iif(${KEEPS}, '', ' without a copy')`,
    is: `target || ${KEEPS}`,
  },
  shown: { what: "forwarding to", item: "target", is: `iif(${KEEPS}, 'a copy stays here', 'no copy stays here')` },
  own: { name: "forwarding", read: readForwarding },
} as const;
