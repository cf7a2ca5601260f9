import { hash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type AuditEntry, type Content, GENESIS, hashedText } from "../../../core/audit/chain.ts";
import { integer, text } from "../columns.ts";

/** SHA-256 of the text in UTF-8, in hexadecimal. */
export function sha256(of: string): string {
  return hash("sha256", of);
}

/**
 * Adds entries to the audit, in the transaction of the changes that they record. The end of the chain is read each time: entries are
 * rare, and other programs may have changed them. SQLite never reuses a number (sqlite.org/autoinc.html), so removed
 * entries leave a gap.
 */
export class AuditChain {
  readonly #head: StatementSync;
  readonly #numbered: StatementSync;
  readonly #insert: StatementSync;

  constructor(db: DatabaseSync) {
    this.#head = db.prepare("SELECT id, hash FROM audit_entry ORDER BY id DESC LIMIT 1");
    this.#numbered = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'audit_entry'");
    this.#insert = db.prepare(`
      INSERT INTO audit_entry (id, at, actor, type, subject, detail, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  }

  add(content: Content): void {
    const head = this.#head.get();
    const last = head === undefined ? 0 : integer(head["id"]);
    const numbered = integer(this.#numbered.get()?.["seq"] ?? 0);
    const entry = {
      ...content,
      id: Math.max(last, numbered) + 1,
      previous: head === undefined ? GENESIS : text(head["hash"]),
    };
    const { id, at, actor, type, subject, detail, previous } = entry;
    this.#insert.run(id, at, actor, type, subject, detail, previous, sha256(hashedText(entry)));
  }
}

export type AuditRow = Readonly<Record<string, unknown>>;

export const AUDIT_COLUMNS = "id, at, actor, type, subject, detail, previous, hash";

export function auditEntry(row: AuditRow): AuditEntry {
  return {
    id: integer(row["id"]),
    at: text(row["at"]),
    actor: text(row["actor"]),
    type: text(row["type"]),
    subject: text(row["subject"]),
    detail: text(row["detail"]),
    previous: text(row["previous"]),
    hash: text(row["hash"]),
  };
}
