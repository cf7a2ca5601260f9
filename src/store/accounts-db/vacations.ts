import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Vacation } from "../../core/mailbox-rules.ts";
import type { AccountName } from "../../core/net/address.ts";
import type { VacationStore } from "../../guard/mailbox-ports.ts";
import type { Outcome } from "../../guard/ports.ts";
import { millisOrNull, text } from "../columns.ts";

/** Replies while users are away, in `accounts.db`. Dovecot sees each change at once. Throws if the file cannot be written. */
export class SqliteVacations implements VacationStore {
  readonly #db: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#sql = statements((sql) => db.prepare(sql));
  }

  setVacation(account: AccountName, vacation: Vacation | null): Outcome {
    if (this.#sql.account.get(account) === undefined) return { ok: false, reason: `There is no account ${account}.` };
    if (vacation === null) this.#sql.end.run(account);
    else this.#sql.set.run(account, vacation.subject, vacation.text, vacation.until);
    return { ok: true };
  }

  vacationOf(account: string): Vacation | null {
    return readVacation(this.#db, account);
  }
}

/** Null: it sends no replies. Ended replies are returned too. The connection may be read-only. */
export function readVacation(db: DatabaseSync, account: string): Vacation | null {
  const row = db.prepare("SELECT subject, text, until FROM vacation WHERE account = ?").get(account);
  if (row === undefined) return null;
  return { subject: text(row["subject"]), text: text(row["text"]), until: millisOrNull(row["until"]) };
}

function statements(sql: (text: string) => StatementSync) {
  return {
    account: sql("SELECT 1 FROM account WHERE name = ?"),
    end: sql("DELETE FROM vacation WHERE account = ?"),
    set: sql(`
      INSERT INTO vacation (account, subject, text, until) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET subject = excluded.subject, text = excluded.text, until = excluded.until`),
  };
}
