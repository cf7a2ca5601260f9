import { hash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { type CountedPage, firstPage, type Page, type PageRequest } from "../../admin/declare/paging.ts";
import {
  type Anchor,
  AUDIT_LIMITS,
  type AuditEntry,
  type AuditLimits,
  type Checked,
  type Content,
  checkChain,
  GENESIS,
  hashedText,
} from "../../core/audit/chain.ts";
import { messageOf } from "../../core/error.ts";
import { instant, type Millis } from "../../core/time.ts";
import { integer, rowReader, text, textOrNull } from "../columns.ts";
import { isLocked, openEngineForReading } from "../open.ts";
import { prepared } from "../transactions.ts";

/** SHA-256 of the text in UTF-8, in hexadecimal. */
export function sha256(of: string): string {
  return hash("sha256", of);
}

/**
 * Adds entries to the audit, in the transaction of their events. Changes of `accounts.db` follow it (`recordFirst`). Reads the end of
 * the chain each time, because entries are rare and other programs may have changed them. SQLite never reuses a number
 * (sqlite.org/autoinc.html), so removed entries leave a gap.
 */
export function sqliteAuditChain(db: DatabaseSync): (content: Content) => void {
  const sql = prepared(db, {
    head: "SELECT id, hash FROM audit_entry ORDER BY id DESC LIMIT 1",
    numbered: NUMBERED,
    insert: `
      INSERT INTO audit_entry (id, at, actor, type, subject, detail, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  });
  return (content) => {
    const head = sql.head.get();
    const numbered = integer(sql.numbered.get()?.["seq"] ?? 0);
    const entry = {
      ...content,
      id: Math.max(integer(head?.["id"] ?? 0), numbered) + 1,
      previous: text(head?.["hash"] ?? GENESIS),
    };
    const { id, at, actor, type, subject, detail, previous } = entry;
    sql.insert.run(id, at, actor, type, subject, detail, previous, sha256(hashedText(entry)));
  };
}

const NUMBERED = "SELECT seq FROM sqlite_sequence WHERE name = 'audit_entry'";
const AUDIT_COLUMNS = "id, at, actor, type, subject, detail, previous, hash";

const auditEntry = rowReader({
  id: integer,
  at: text,
  actor: text,
  type: text,
  subject: text,
  detail: text,
  previous: text,
  hash: text,
});

/** More than are kept, because many bans may be lifted together between two sweeps. */
const MOST_READ = 2 * AUDIT_LIMITS.mostYoung;

export type LastAudited = Readonly<{ at: string | null; since: string | null }>;

/** Reads the audit; the connection may be read-only. */
export function sqliteAuditEntries(db: DatabaseSync) {
  const sql = prepared(db, {
    page: `SELECT ${AUDIT_COLUMNS} FROM audit_entry WHERE id < ? ORDER BY id DESC LIMIT ?`,
    count: "SELECT count(*) AS n FROM audit_entry",
    all: `SELECT ${AUDIT_COLUMNS} FROM audit_entry ORDER BY id LIMIT ${MOST_READ}`,
    lastOf: "SELECT at FROM audit_entry WHERE type = ? ORDER BY id DESC LIMIT 1",
    oldest: "SELECT at FROM audit_entry ORDER BY id LIMIT 1",
    numbered: NUMBERED,
  });
  const entries = ({ limit, cursor }: PageRequest): Page<AuditEntry> => {
    const before = cursor === null ? Number.MAX_SAFE_INTEGER : Number(cursor);
    const items = sql.page.all(before, limit + 1).map(auditEntry);
    return firstPage(items, limit, ({ id }) => String(id));
  };
  /** Oldest first. Throws if another program changed the table so that it cannot be read. */
  const all = (): Iterable<AuditEntry> => sql.all.iterate().map(auditEntry);
  return {
    /** Newest first; the cursor is the id of the last one shown. */
    page: (asked: PageRequest): CountedPage<AuditEntry> => ({
      ...entries(asked),
      total: integer(sql.count.get()?.["n"]),
    }),
    /** Like `page`, without counting all entries. */
    entries,
    all,
    /** The times (ISO 8601) of the latest entry of this type, and of the oldest entry of all; null if there is none. */
    lastOf: (type: string): LastAudited => ({
      at: textOrNull(sql.lastOf.get(type)?.["at"] ?? null),
      since: textOrNull(sql.oldest.get()?.["at"] ?? null),
    }),
    check: (anchors: readonly Anchor[], now: Millis, limits?: AuditLimits): Checked => {
      // Read first, so that an entry added in between does not count as missing.
      const numbered = integer(sql.numbered.get()?.["seq"] ?? 0);
      return checkChain(all(), { anchors, numbered, now, limits }, sha256);
    },
  };
}

/** For root: opens `engine.db` only for this, as `checkAudit` does. Throws if it cannot be read. */
export function lastAudited(engineDb: string, type: string): LastAudited {
  using db = openEngineForReading(engineDb);
  return sqliteAuditEntries(db).lastOf(type);
}

/**
 * For root. Refuses a view in place of the table, because the guard's user must not be able to keep root busy. An
 * unreadable audit is a fault. Throws if the database cannot be opened, or is locked.
 */
export function checkAudit(engineDb: string, anchors: readonly Anchor[], now: Millis): Checked {
  using db = openEngineForReading(engineDb);
  try {
    // One snapshot of the file, so that all queries see the same entries.
    db.exec("BEGIN");
    const isTable = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'audit_entry' AND type = 'table'").get();
    return isTable === undefined ? unreadable("its table is gone") : sqliteAuditEntries(db).check(anchors, now);
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
