import type { DatabaseSync } from "node:sqlite";
import type { Forwarding } from "../../admin/mailboxes.ts";
import { withoutExtension } from "../../core/net/address.ts";
import { DAY_MS } from "../../core/time.ts";
import type { ForwardStore } from "../../guard/commands/accounts/forwards.ts";
import type { CountedForwards } from "../../guard/mailbox-ports.ts";
import { flag, integer, millis, rowReader, text } from "../columns.ts";
import { prepared, together } from "../transactions.ts";
import { accountCheck, DONE, refused } from "./accounts.ts";
import type { NotedUses } from "./credentials.ts";

/** The forwards of accounts, in `accounts.db`. Postfix sees each change at once. Throws if the file cannot be written. */
function sqliteForwards(db: DatabaseSync): ForwardStore {
  const sql = prepared(db, SQL);
  const check = accountCheck(db);
  return {
    setForward: (account, to, keep, newTargets) => {
      const refusal = check(account);
      if (refusal !== null) return refusal;
      const blocked = to.find((target) => sql.isBlocked.get(target) !== undefined);
      if (blocked !== undefined) return refused(`The alias ${blocked} is blocked, so it accepts no mail.`);
      return together(db, () => {
        sql.forget.run(account);
        // A copy for the account itself is one more target.
        for (const target of to.length > 0 && keep ? [account, ...to] : to) sql.add.run(account, target);
        if (newTargets === null) sql.forgetNew.run(account);
        else for (const target of newTargets.targets) sql.addNew.run(account, target, newTargets.until);
        return DONE;
      });
    },
    forwardOf: (account) => readForwarding(db, account),
    targetsOf: (account) => readForwarding(db, account)?.to ?? [],
    spendTargets: (of, added, most, { since, until }) =>
      together(db, () => {
        sql.forgetSpent.run(since, until);
        const left = Math.max(0, most - integer(sql.spent.get(of)?.["spent"]));
        if (left > 0) sql.spend.run(of, until, Math.min(added, left));
        return added <= left;
      }),
    targets: () => sql.targets.all().map((row) => text(row["target"])),
  };
}

/** Null if the account's mail is not forwarded. The connection may be read-only. */
function readForwarding(db: DatabaseSync, account: string): Forwarding | null {
  const all = db
    .prepare("SELECT target FROM forward WHERE account = ? ORDER BY target")
    .all(account)
    .map((row) => text(row["target"]));
  const to = all.filter((target) => target.toLowerCase() !== account.toLowerCase());
  return to.length === 0 ? null : { to, keep: to.length < all.length };
}

const SQL = {
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

/**
 * Forwards that root has not set, in `accounts.db`. Postfix sees at once which of them are paused. `db` must be the connection that
 * writes, because total_changes() counts only a connection's own changes.
 */
export function sqliteCountedForwards(db: DatabaseSync, uses: NotedUses): CountedForwards {
  const sql = prepared(db, NEW_SQL);
  /**
   * Whether any counted forward exists, as of change number `seen`. It is read again only after another change, because each read takes
   * a lock and every recipient needs the answer.
   */
  let isAny = false;
  let seen: number | null = null;
  const hasAny = (): boolean => {
    const changes = integer(sql.changes.get()?.["n"]);
    if (changes !== seen) isAny = sql.any.get() !== undefined;
    seen = changes;
    return isAny;
  };
  return {
    reached: (recipient, now) => {
      // Skips the search on most servers, which have none: an alias may have a thousand targets.
      if (!hasAny()) return [];
      return sql.reached.all(recipient, withoutExtension(recipient), now, now).map(reachedForward);
    },
    sent: (account, { since, until }) =>
      sql.sent.all(account, since, until).map((row) => {
        const recipients = integer(row["recipients"]);
        const strangers = integer(row["strangers"]);
        return { at: millis(row["at"]), recipients, written: recipients - strangers, strangers };
      }),
    count: (account, { at, recipients, strangers }) => {
      // Otherwise strangers' mail could cause the accounts to be copied every second.
      uses.ignore(sql.forget.run(at - DAY_MS, at));
      uses.ignore(sql.forgetOld.run(at - DAY_MS));
      uses.ignore(sql.count.run(account, at, recipients, strangers));
    },
    pause: (account, { now, until, which }) => {
      sql.pause.run(until, account, which === "new" ? now : 0);
    },
  };
}

const reachedForward = rowReader({ account: text, target: text, isNew: flag });

const NEW_SQL = {
  changes: "SELECT total_changes() AS n",
  any: "SELECT 1 FROM new_forward LIMIT 1",
  reached: `
    WITH RECURSIVE reached (address) AS (
      -- The second address lacks its extension. Its parser used the last @, because a quoted name may contain another.
      SELECT lower(?) UNION SELECT lower(?)
      UNION SELECT substr(address, 1, instr(address, '+') - 1) || substr(address, instr(address, '@')) FROM reached
        WHERE instr(address, '+') BETWEEN 2 AND instr(address, '@')
      UNION SELECT lower(onward.target) FROM reached JOIN onward ON onward.address = reached.address
    )
    SELECT new_forward.account, new_forward.target, new_forward.until > ? AS is_new
    FROM reached
      JOIN new_forward ON new_forward.account = reached.address
      JOIN forward ON forward.account = new_forward.account AND forward.target = new_forward.target
    WHERE new_forward.paused_until <= ?`,
  sent: "SELECT at, recipients, strangers FROM new_forward_sent WHERE account = ? AND at > ? AND at <= ? ORDER BY at",
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

/** The entry for forwards in `SETTING_TABLES` (`setting-tables.ts`). Its tables are in `schema.ts`, because views there need them. */
export const FORWARDS = {
  key: "forwards",
  store: sqliteForwards,
  tables: ["forward", "target_spent", "new_forward", "new_forward_sent"],
  says: "forwards",
  undo: "account forward ADDRESS --off",
  rows: {
    from: "forward WHERE target <> account",
    name: `account || ' to ' || target || iif(${KEEPS}, '', ' without a copy')`,
    is: `target || ${KEEPS}`,
  },
  shown: { what: "forwarding to", item: "target", is: `iif(${KEEPS}, 'a copy stays here', 'no copy stays here')` },
  mailbox: { name: "forwarding", read: readForwarding },
} as const;
