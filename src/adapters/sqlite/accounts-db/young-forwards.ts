import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { SentMail } from "../../../core/decide/facts.ts";
import { withoutExtension } from "../../../core/net/address.ts";
import { DAY_MS, type Millis } from "../../../core/time.ts";
import type { YoungForwards } from "../../../engine/ports.ts";
import { integer, millis, text } from "../columns.ts";

/** Forwards that are new, in `accounts.db`. Postfix sees at once which of them rest. */
export class SqliteYoungForwards implements YoungForwards {
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#sql = statements((sql) => db.prepare(sql));
  }

  reached(recipient: string, now: Millis): ReturnType<YoungForwards["reached"]> {
    // There is rarely one, and an alias may have a thousand targets.
    if (this.#sql.any.get(now, now) === undefined) return [];
    return this.#sql.reached
      .all(recipient, withoutExtension(recipient), now, now)
      .map((row) => ({ account: text(row["account"]), target: text(row["target"]) }));
  }

  sent(account: string, since: Millis): readonly SentMail[] {
    return this.#sql.sent.all(account, since).map((row) => {
      const [recipients, strangers] = [integer(row["recipients"]), integer(row["strangers"])];
      return { at: millis(row["at"]), recipients, written: recipients - strangers, strangers };
    });
  }

  count(account: string, { at, recipients, strangers }: SentMail): void {
    this.#sql.forget.run(at - DAY_MS, at);
    this.#sql.forgetOld.run(at - DAY_MS);
    this.#sql.count.run(account, at, recipients, strangers);
  }

  rest(account: string, until: Millis): void {
    this.#sql.rest.run(until, account);
  }
}

function statements(sql: (text: string) => StatementSync) {
  return {
    any: sql("SELECT 1 FROM young_forward WHERE until > ? AND rests_until <= ? LIMIT 1"),
    reached: sql(`
      WITH RECURSIVE reached (address) AS (
        SELECT lower(?) UNION SELECT lower(?)
        UNION SELECT lower(onward.target) FROM reached JOIN onward ON onward.address = reached.address
      )
      SELECT young.account, young.target
      FROM reached
        JOIN young_forward AS young ON young.account = reached.address
        JOIN forward ON forward.account = young.account AND forward.target = young.target
      WHERE young.until > ? AND young.rests_until <= ?`),
    sent: sql("SELECT at, recipients, strangers FROM young_forward_sent WHERE account = ? AND at > ? ORDER BY at"),
    forget: sql("DELETE FROM young_forward_sent WHERE at <= ? OR at > ?"),
    forgetOld: sql("DELETE FROM young_forward WHERE until <= ?"),
    count: sql(`
      INSERT INTO young_forward_sent (account, at, recipients, strangers) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET recipients = recipients + excluded.recipients, strangers = strangers + excluded.strangers`),
    // The rest ends once the forward is no longer new.
    rest: sql("UPDATE young_forward SET rests_until = min(until, ?) WHERE account = ?"),
  };
}
