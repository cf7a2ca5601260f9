import { hash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { type CountedPage, firstPage, type Page, type PageRequest } from "../../admin/declare/paging.ts";
import {
  type Anchor,
  type AuditEntry,
  type Checked,
  type Content,
  checkChain,
  GENESIS,
  hashedText,
  MOST_YOUNG_ENTRIES,
} from "../../core/audit/chain.ts";
import { messageOf } from "../../core/error.ts";
import { instant, type Millis } from "../../core/time.ts";
import { integer, type Row, text } from "../columns.ts";
import { isLocked, openEngineForReading } from "../open.ts";
import { prepared } from "../transactions.ts";

/** SHA-256 of the text in UTF-8, in hexadecimal. */
export function sha256(of: string): string {
  return hash("sha256", of);
}

/**
 * Adds entries to the audit, in the transaction of their events. Changes of `accounts.db` follow it (`recordFirst`). The end of the
 * chain is read each time: entries are rare, and other programs may have changed them. SQLite never reuses a number (sqlite.org/autoinc.html), so removed
 * entries leave a gap.
 */
export class AuditChain {
  readonly #sql;

  constructor(db: DatabaseSync) {
    this.#sql = prepared(db, {
      head: "SELECT id, hash FROM audit_entry ORDER BY id DESC LIMIT 1",
      numbered: "SELECT seq FROM sqlite_sequence WHERE name = 'audit_entry'",
      insert: `
        INSERT INTO audit_entry (id, at, actor, type, subject, detail, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    });
  }

  add(content: Content): void {
    const head = this.#sql.head.get();
    const last = head === undefined ? 0 : integer(head["id"]);
    const numbered = integer(this.#sql.numbered.get()?.["seq"] ?? 0);
    const entry = {
      ...content,
      id: Math.max(last, numbered) + 1,
      previous: head === undefined ? GENESIS : text(head["hash"]),
    };
    const { id, at, actor, type, subject, detail, previous } = entry;
    this.#sql.insert.run(id, at, actor, type, subject, detail, previous, sha256(hashedText(entry)));
  }
}

const AUDIT_COLUMNS = "id, at, actor, type, subject, detail, previous, hash";

function auditEntry(row: Row): AuditEntry {
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

/** More than are kept, for bans lifted together between two sweeps. */
const MOST_READ = 2 * MOST_YOUNG_ENTRIES;

/** Reads the audit; the connection may be read-only. */
export class AuditEntries {
  readonly #sql;

  constructor(db: DatabaseSync) {
    this.#sql = prepared(db, {
      page: `SELECT ${AUDIT_COLUMNS} FROM audit_entry WHERE id < ? ORDER BY id DESC LIMIT ?`,
      count: "SELECT count(*) AS n FROM audit_entry",
      all: `SELECT ${AUDIT_COLUMNS} FROM audit_entry ORDER BY id LIMIT ${MOST_READ}`,
      lastOf: "SELECT at FROM audit_entry WHERE type = ? ORDER BY id DESC LIMIT 1",
      oldest: "SELECT at FROM audit_entry ORDER BY id LIMIT 1",
      numbered: "SELECT seq FROM sqlite_sequence WHERE name = 'audit_entry'",
    });
  }

  /** Newest first; the cursor is the id of the last one shown. */
  page(asked: PageRequest): CountedPage<AuditEntry> {
    return { ...this.entries(asked), total: integer(this.#sql.count.get()?.["n"]) };
  }

  /** The same, without counting all. */
  entries({ limit, cursor }: PageRequest): Page<AuditEntry> {
    const before = cursor === null ? Number.MAX_SAFE_INTEGER : Number(cursor);
    const items = this.#sql.page.all(before, limit + 1).map(auditEntry);
    return firstPage(items, limit, ({ id }) => String(id));
  }

  /** Oldest first. Throws if another program changed the table so that it cannot be read. */
  *all(): Generator<AuditEntry> {
    for (const row of this.#sql.all.iterate()) yield auditEntry(row);
  }

  /** When there was an entry of this type last, and when the oldest entry was; null if there is none. ISO 8601. */
  lastOf(type: string): Readonly<{ at: string | null; since: string | null }> {
    const at = this.#sql.lastOf.get(type)?.["at"];
    const since = this.#sql.oldest.get()?.["at"];
    return { at: typeof at === "string" ? at : null, since: typeof since === "string" ? since : null };
  }

  check(anchors: readonly Anchor[], now: Millis): Checked {
    // First, so that a new entry is not taken for a missing one.
    const numbered = integer(this.#sql.numbered.get()?.["seq"] ?? 0);
    return checkChain(this.all(), { anchors, numbered, now }, sha256);
  }
}

/** For root: opens `engine.db` only for this, as `checkAudit` does. Throws if it cannot be read. */
export function lastAudited(engineDb: string, type: string): ReturnType<AuditEntries["lastOf"]> {
  using db = openEngineForReading(engineDb);
  return new AuditEntries(db).lastOf(type);
}

/**
 * For root, which the guard's user must not keep busy: it reads no table with another schema. An unreadable audit is
 * a fault. Throws if the database cannot be opened, or is locked.
 */
export function checkAudit(engineDb: string, anchors: readonly Anchor[], now: Millis): Checked {
  using db = openEngineForReading(engineDb);
  try {
    // One snapshot of the file: the entries are those that were checked.
    db.exec("BEGIN");
    const isTable = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'audit_entry' AND type = 'table'").get();
    return isTable === undefined ? unreadable("its table is gone") : new AuditEntries(db).check(anchors, now);
  } catch (error) {
    if (isLocked(error)) throw error;
    return unreadable(messageOf(error));
  }
}

function unreadable(why: string): Checked {
  return {
    ...checkChain([], { anchors: [], numbered: 0, now: instant(0) }, sha256),
    fault: { id: 0, says: `the audit cannot be read: ${why}` },
  };
}
