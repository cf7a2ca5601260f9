import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AppPasswordItem } from "../../admin/declare/items.ts";
import { isWorthNoting } from "../../core/access/session.ts";
import type { AccountName } from "../../core/net/address.ts";
import { isoTime, type Millis } from "../../core/time.ts";
import { LIMITS } from "../../guard/limits.ts";
import type { AppPasswordStore, NewAppPassword } from "../../guard/mailbox-ports.ts";
import type { Outcome } from "../../guard/ports.ts";
import { integer, millis, millisOrNull, text } from "../columns.ts";
import { NotedUses } from "./credentials.ts";

/** Fewer than the passwords by which the guard knows an account again, so that those of its sign-ins stay among them. */
const MOST_PROOFS = 4;

/** The passwords of single mail programs, in `accounts.db`. Throws if the file cannot be written. */
export class SqliteAppPasswords implements AppPasswordStore {
  readonly #db: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;
  readonly #uses: NotedUses;

  constructor(db: DatabaseSync, uses = new NotedUses()) {
    this.#db = db;
    this.#sql = statements((sql) => db.prepare(sql));
    this.#uses = uses;
  }

  addAppPassword({ account, name, digest, proof, by, at }: NewAppPassword): Outcome {
    if (this.#sql.account.get(account) === undefined) return { ok: false, reason: `There is no account ${account}.` };
    if (this.#sql.ownKey.get(account) !== undefined)
      return { ok: false, reason: `Mail of ${account} is encrypted with a key that only its own password opens.` };
    if (integer(this.#sql.count.get(account)?.["n"]) >= LIMITS.appPasswords)
      return { ok: false, reason: `${account} has ${LIMITS.appPasswords} app passwords, as many as there may be.` };
    const { changes } = this.#sql.add.run(account, name, digest, proof, by, at);
    return changes === 0
      ? { ok: false, reason: `${account} has an app password named ${name} already.` }
      : { ok: true };
  }

  removeAppPassword(account: AccountName, name: string): Outcome {
    const { changes } = this.#sql.remove.run(account, name);
    return changes === 0 ? { ok: false, reason: `${account} has no app password named ${name}.` } : { ok: true };
  }

  appPasswordsOf(account: string): readonly AppPasswordItem[] {
    return readAppPasswords(this.#db, account);
  }

  proofsOf(account: string): readonly string[] {
    return this.#sql.proofs.all(account, MOST_PROOFS).map((row) => text(row["proof"]));
  }

  used(account: string, name: string, now: Millis): void {
    const row = this.#sql.one.get(account, name);
    if (row === undefined || !isWorthNoting(millisOrNull(row["used_at"]), now)) return;
    this.#uses.note(this.#sql.used, now, text(row["digest"]));
  }
}

/** Oldest first; the connection may be read-only. */
export function readAppPasswords(db: DatabaseSync, account: string): readonly AppPasswordItem[] {
  const rows = db
    .prepare("SELECT name, made_at, made_by, used_at FROM app_password WHERE account = ? ORDER BY made_at, name")
    .all(account);
  return rows.map((row) => {
    const usedAt = millisOrNull(row["used_at"]);
    return {
      name: text(row["name"]),
      madeAt: isoTime(millis(row["made_at"])),
      madeBy: text(row["made_by"]),
      usedAt: usedAt === null ? null : isoTime(usedAt),
    };
  });
}

function statements(sql: (text: string) => StatementSync) {
  return {
    account: sql("SELECT 1 FROM account WHERE name = ?"),
    ownKey: sql("SELECT 1 FROM account_key WHERE account = ? LIMIT 1"),
    count: sql("SELECT count(*) AS n FROM app_password WHERE account = ?"),
    add: sql(`
      INSERT INTO app_password (account, name, digest, proof, made_by, made_at) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING`),
    remove: sql("DELETE FROM app_password WHERE account = ? AND name = ?"),
    proofs: sql(`
      SELECT proof FROM app_password WHERE account = ? ORDER BY coalesce(used_at, made_at) DESC, name LIMIT ?`),
    one: sql("SELECT digest, used_at FROM app_password WHERE account = ? AND name = ?"),
    used: sql("UPDATE app_password SET used_at = ? WHERE digest = ?"),
  };
}
