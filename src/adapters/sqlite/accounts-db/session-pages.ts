import type { DatabaseSync } from "node:sqlite";
import { SESSION_AGE_MS, SESSION_AHEAD_MS, SESSION_IDLE_MS } from "../../../core/access/session.ts";
import { isoTime, later, type Millis } from "../../../core/time.ts";
import type { ListedSession } from "../../../wire/control/access-items.ts";
import { type CountedPage, firstPage, type PageRequest } from "../../../wire/control/paging.ts";
import { integer, millis, text, textOrNull } from "../columns.ts";

/** The condition of `isValid`. */
const VALID = "max(started_at, used_at) <= ?1 AND used_at > ?2 AND started_at > ?3";
/** Sorts the administrator's first, then by last use, newest first; as text, so that any cursor is valid. */
const KEY = `(account IS NOT NULL) || printf(' %016d ', ${Number.MAX_SAFE_INTEGER} - used_at) || id`;

type Listing = (asked: PageRequest, now: Millis) => CountedPage<ListedSession>;

/** Who is signed in to the dashboard: the administrator, and users of mailboxes. */
export function sessionPages(db: DatabaseSync): Listing {
  const paged = db.prepare(`
    SELECT id, device, ip, started_at, used_at, account, ${KEY} AS key FROM session
    WHERE ${VALID} AND key > ?4 ORDER BY key LIMIT ?5`);
  const count = db.prepare(`SELECT count(*) AS n FROM session WHERE ${VALID}`);
  return ({ limit, cursor }, now) => {
    const times = [later(now, SESSION_AHEAD_MS), later(now, -SESSION_IDLE_MS), later(now, -SESSION_AGE_MS)] as const;
    const { items, next } = firstPage(paged.all(...times, cursor ?? "", limit + 1), limit, (row) => text(row["key"]));
    return { items: items.map(listedSession), next, total: integer(count.get(...times)?.["n"]) };
  };
}

function listedSession(row: Readonly<Record<string, unknown>>): ListedSession {
  return {
    id: text(row["id"]),
    account: textOrNull(row["account"]),
    device: text(row["device"]),
    ip: text(row["ip"]),
    startedAt: isoTime(millis(row["started_at"])),
    usedAt: isoTime(millis(row["used_at"])),
  };
}
