import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  isValid,
  isWorthNoting,
  SESSION_AGE_MS,
  SESSION_AHEAD_MS,
  SESSION_IDLE_MS,
} from "../../../core/access/session.ts";
import { isoTime, later, type Millis } from "../../../core/time.ts";
import type { FoundSession, NewSession, SessionStore, WhichSessions } from "../../../engine/admin-ports.ts";
import { LIMITS } from "../../../engine/limits.ts";
import type { SessionItem } from "../../../wire/control/access-items.ts";
import { millis, text, textOrNull } from "../columns.ts";
import { NotedUses } from "./noted-uses.ts";

/** Sessions in `accounts.db`, by the digest of their secret: reading the file opens no session. */
export class SqliteSessions implements SessionStore {
  readonly #db: DatabaseSync;
  readonly #add: StatementSync;
  readonly #shrink: StatementSync;
  readonly #forget: StatementSync;
  readonly #find: StatementSync;
  readonly #use: StatementSync;
  readonly #prove: StatementSync;
  readonly #list: StatementSync;
  readonly #end: StatementSync;
  readonly #endOf: StatementSync;
  readonly #endMailboxes: StatementSync;
  readonly #endAll: StatementSync;
  readonly #uses: NotedUses;

  constructor(db: DatabaseSync, uses = new NotedUses()) {
    this.#db = db;
    this.#uses = uses;
    this.#add = db.prepare(`
      INSERT INTO session (digest, id, device, ip, started_at, used_at, proved_at, account) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#shrink = db.prepare(`
      DELETE FROM session WHERE digest IN (
        SELECT digest FROM session WHERE account IS ? ORDER BY used_at DESC LIMIT -1 OFFSET ?)`);
    this.#forget = db.prepare(
      "DELETE FROM session WHERE used_at <= ? OR started_at <= ? OR max(used_at, started_at) > ?",
    );
    this.#find = db.prepare("SELECT id, account, started_at, used_at, proved_at FROM session WHERE digest = ?");
    this.#use = db.prepare("UPDATE session SET used_at = ? WHERE digest = ?");
    this.#prove = db.prepare("UPDATE session SET proved_at = ? WHERE digest = ?");
    this.#list = db.prepare(`
      SELECT id, device, ip, started_at, used_at FROM session WHERE account IS ? ORDER BY used_at DESC, id`);
    this.#end = db.prepare("DELETE FROM session WHERE id = ?");
    this.#endOf = db.prepare("DELETE FROM session WHERE account IS ? AND id IS NOT ?");
    this.#endMailboxes = db.prepare("DELETE FROM session WHERE account IS NOT NULL");
    this.#endAll = db.prepare("DELETE FROM session");
  }

  open({ digest, id, account, device, ip, at }: NewSession): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      this.#forget.run(later(at, -SESSION_IDLE_MS), later(at, -SESSION_AGE_MS), later(at, SESSION_AHEAD_MS));
      const most = account === null ? LIMITS.dashboardSessions : LIMITS.mailboxSessions;
      this.#shrink.run(account, most - 1);
      this.#add.run(digest, id, device, ip, at, at, at, account);
      this.#db.exec("COMMIT");
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  find(digest: string, now: Millis, isUse: boolean): FoundSession | null {
    const row = this.#find.get(digest);
    if (row === undefined) return null;
    const usedAt = millis(row["used_at"]);
    if (!isValid({ startedAt: millis(row["started_at"]), usedAt }, now)) return null;
    if (isUse && isWorthNoting(usedAt, now)) this.#uses.note(this.#use, now, digest);
    return { id: text(row["id"]), account: textOrNull(row["account"]), provedAt: millis(row["proved_at"]) };
  }

  prove(digest: string, at: Millis): void {
    this.#prove.run(at, digest);
  }

  list(account: string | null, now: Millis): readonly SessionItem[] {
    return this.#list
      .all(account)
      .filter((row) => isValid({ startedAt: millis(row["started_at"]), usedAt: millis(row["used_at"]) }, now))
      .map((row) => ({
        id: text(row["id"]),
        device: text(row["device"]),
        ip: text(row["ip"]),
        startedAt: isoTime(millis(row["started_at"])),
        usedAt: isoTime(millis(row["used_at"])),
      }));
  }

  end(which: WhichSessions): number {
    if (which === "everybody") return Number(this.#endAll.run().changes);
    if (which === "mailboxes") return Number(this.#endMailboxes.run().changes);
    return Number("id" in which ? this.#end.run(which.id).changes : this.#endOf.run(which.of, which.except).changes);
  }
}
