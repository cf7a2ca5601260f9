import type { DatabaseSync } from "node:sqlite";
import type { ListedSession } from "../../admin/declare/items.ts";
import { type CountedPage, firstPage, type PageRequest } from "../../admin/declare/paging.ts";
import { isWorthNoting, SESSION_AGE_MS, SESSION_AHEAD_MS, SESSION_IDLE_MS } from "../../core/access/session.ts";
import { later, type Millis } from "../../core/time.ts";
import type { SessionStore } from "../../guard/admin-ports.ts";
import { LIMITS } from "../../guard/limits.ts";
import { integer, iso, millis, rowReader, text, textOrNull } from "../columns.ts";
import { prepared, together } from "../transactions.ts";
import { NotedUses } from "./credentials.ts";

/** Sessions in `accounts.db`, stored by the digest of their secret, so that no one who reads the file can use them. */
export function sqliteSessions(db: DatabaseSync, uses = new NotedUses()): SessionStore {
  const sql = prepared(db, {
    add: `
      INSERT INTO session (digest, id, device, ip, started_at, used_at, proved_at, account) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    shrink: `
      DELETE FROM session WHERE digest IN (
        SELECT digest FROM session WHERE account IS ? ORDER BY used_at DESC LIMIT -1 OFFSET ?)`,
    forget: `DELETE FROM session WHERE NOT (${VALID})`,
    find: `SELECT id, account, used_at, proved_at FROM session WHERE ${VALID} AND digest = ?4`,
    use: "UPDATE session SET used_at = ? WHERE digest = ?",
    prove: "UPDATE session SET proved_at = ? WHERE digest = ?",
    list: `
      SELECT id, device, ip, started_at, used_at FROM session
      WHERE ${VALID} AND account IS ?4 ORDER BY used_at DESC, id`,
    end: "DELETE FROM session WHERE id = ?",
    endOf: "DELETE FROM session WHERE account IS ? AND id IS NOT ?",
    endMailboxes: "DELETE FROM session WHERE account IS NOT NULL",
    endAll: "DELETE FROM session",
  });
  return {
    open: ({ digest, id, account, device, ip, at }) =>
      together(db, () => {
        sql.forget.run(...boundsAt(at));
        const most = account === null ? LIMITS.dashboardSessions : LIMITS.mailboxSessions;
        sql.shrink.run(account, most - 1);
        sql.add.run(digest, id, device, ip, at, at, at, account);
      }),
    find: (digest, now, isUse) => {
      const row = sql.find.get(...boundsAt(now), digest);
      if (row === undefined) return null;
      if (isUse && isWorthNoting(millis(row["used_at"]), now)) uses.note(sql.use, now, digest);
      return { id: text(row["id"]), account: textOrNull(row["account"]), provedAt: millis(row["proved_at"]) };
    },
    prove: (digest, at) => {
      sql.prove.run(at, digest);
    },
    list: (account, now) => sql.list.all(...boundsAt(now), account).map(sessionItem),
    end: (which) => {
      if (which === "everybody") return Number(sql.endAll.run().changes);
      if (which === "mailboxes") return Number(sql.endMailboxes.run().changes);
      return Number("id" in which ? sql.end.run(which.id).changes : sql.endOf.run(which.of, which.except).changes);
    },
  };
}

/** Whether a session has not ended, with the bounds of `boundsAt`. */
const VALID = "max(started_at, used_at) <= ?1 AND used_at > ?2 AND started_at > ?3";
/**
 * Sorts the administrator's sessions first, then by start, newest first. Sorting by use would move a session to another page. The key
 * is text, so that any cursor is valid.
 */
const KEY = `(account IS NOT NULL) || printf(' %016d ', ${Number.MAX_SAFE_INTEGER} - started_at) || id`;

/** Who is signed in to the dashboard: the administrator, and users of mailboxes. */
export function sqliteSessionPages(db: DatabaseSync): (asked: PageRequest, now: Millis) => CountedPage<ListedSession> {
  const paged = db.prepare(`
    SELECT id, device, ip, started_at, used_at, account, ${KEY} AS key FROM session
    WHERE ${VALID} AND key > ?4 ORDER BY key LIMIT ?5`);
  const count = db.prepare(`SELECT count(*) AS n FROM session WHERE ${VALID}`);
  return ({ limit, cursor }, now) => {
    const bounds = boundsAt(now);
    const { items, next } = firstPage(paged.all(...bounds, cursor ?? "", limit + 1), limit, (row) => text(row["key"]));
    const listed = items.map((row) => ({ ...sessionItem(row), account: textOrNull(row["account"]) }));
    return { items: listed, next, total: integer(count.get(...bounds)?.["n"]) };
  };
}

function boundsAt(now: Millis) {
  return [later(now, SESSION_AHEAD_MS), later(now, -SESSION_IDLE_MS), later(now, -SESSION_AGE_MS)] as const;
}

const sessionItem = rowReader({ id: text, device: text, ip: text, startedAt: iso, usedAt: iso });
