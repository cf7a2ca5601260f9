import type { DatabaseSync } from "node:sqlite";
import type { EventItem } from "../../admin/declare/items.ts";
import { bareMessageId, isQueueId } from "../../core/events/queued-mail.ts";
import { overlaps } from "../../core/net/ip.ts";
import { isoTime } from "../../core/time.ts";
import type { EventFilter, EventPage } from "../../guard/storage-ports.ts";
import {
  integer,
  integerOrNull,
  millis,
  prefix as prefixColumn,
  type Row,
  SIMULATED,
  text,
  textOrNull,
} from "../columns.ts";
import { eventCandidates } from "./event-candidates.ts";
import { sqliteEventTimes } from "./event-streams.ts";

/** Maximum time to search for one page. After it, a search returns what it has found, and where to continue. */
const LONGEST_MS = 20;
/** Rows read at once; more for a text filter, which most rows do not match. */
const FEWEST_ROWS = 32;
const SEARCHED_ROWS = 256;

const COLUMNS = `
  id, at, type, service, ip, prefix, account, sender, recipient, queue_id, message_id, helo, size_bytes, verdict, reason,
  offence, count, limit_count, window_ms, limit_key, actor, details, action, ${SIMULATED} AS simulated`.trim();

/** The text of an event that is shown. */
const SHOWN = `concat_ws(char(10), details, action, ip, account, sender, recipient, queue_id, message_id, helo, reason, actor)`;

/**
 * Events by cursor, type, time, text, network and name. A row belongs to a network if its prefix shares an address with
 * it: `events --ip` of one IPv6 address shows what its /64 did. Adds `in_lower_case` to the connection, for `lowerCaseFor`.
 */
export function sqliteEventSearch(db: DatabaseSync, longestMs: number = LONGEST_MS) {
  addLowerCase(db);
  const times = sqliteEventTimes(db);
  const candidates = eventCandidates(db, times);
  const rows = { oldest_first: rowsIn(db, "ASC"), newest_first: rowsIn(db, "DESC") };
  const read = (ids: readonly number[], { order, text: searched, from, to }: EventFilter): readonly Row[] => {
    const { all, having } = rows[order];
    const asked = [JSON.stringify(ids), from ?? 0, to ?? Number.MAX_SAFE_INTEGER] as const;
    return searched === undefined
      ? all.all(...asked)
      : having[lowerCaseFor(searched)].all(...asked, searched.toLowerCase());
  };
  const upTo = (items: readonly EventItem[], next: number): EventPage => {
    const searchedTo = times.at(next);
    return { items, next, ...(searchedTo !== null && { searchedTo }) };
  };
  return {
    find: (filter: EventFilter): EventPage => {
      const items: EventItem[] = [];
      if (filter.most < 1) return { items, next: null };
      const until = performance.now() + longestMs;
      // Usually most rows match, so it reads only one page and one more row, which shows whether there is a next page.
      const atOnce = filter.text === undefined ? Math.max(FEWEST_ROWS, filter.most + 1) : SEARCHED_ROWS;
      for (const span of times.spansOf(filter)) {
        for (const { ids, reached } of candidates({ ...filter, ...span })) {
          for (let from = 0; from < ids.length; from += atOnce) {
            const some = ids.slice(from, from + atOnce);
            for (const row of read(some, filter)) {
              if (!matches(row, filter)) continue;
              const last = items.at(-1);
              if (last !== undefined && items.length === filter.most) return upTo(items, last.id);
              items.push(eventItem(row));
            }
            const isEnough = items.length === filter.most || performance.now() >= until;
            if (from + atOnce < ids.length && isEnough) return upTo(items, some.at(-1) ?? reached);
          }
          if (performance.now() >= until) return upTo(items, reached);
        }
      }
      return { items, next: null };
    },
  };
}

function rowsIn(db: DatabaseSync, direction: "ASC" | "DESC") {
  const rows = (besides: string) =>
    db.prepare(`
      SELECT ${COLUMNS} FROM event
      WHERE id IN (SELECT value FROM json_each(?)) AND at BETWEEN ? AND ? ${besides} ORDER BY id ${direction}`);
  const having = (lower: string) => rows(`AND instr(${lower}(${SHOWN}), ?)`);
  return { all: rows(""), having: { lower: having("lower"), in_lower_case: having("in_lower_case") } };
}

function matches(row: Row, filter: EventFilter): boolean {
  const { prefix, types = [], mail } = filter;
  if (types.length > 0 && !types.includes(text(row["type"]))) return false;
  if (mail !== undefined && !isQueueId(mail) && !isNamed(row["message_id"], mail)) return false;
  return prefix === undefined || (row["prefix"] !== null && overlaps(prefixColumn(row["prefix"]), prefix));
}

/** Needed because the index cuts long Message-IDs, and also finds those that differ only after the cut. */
function isNamed(messageId: unknown, asked: string): boolean {
  return typeof messageId === "string" && bareMessageId(messageId) === bareMessageId(asked);
}

function eventItem(row: Row): EventItem {
  return {
    id: integer(row["id"]),
    at: isoTime(millis(row["at"])),
    type: text(row["type"]),
    service: textOrNull(row["service"]),
    ip: textOrNull(row["ip"]),
    account: textOrNull(row["account"]),
    sender: textOrNull(row["sender"]),
    recipient: textOrNull(row["recipient"]),
    queueId: textOrNull(row["queue_id"]),
    messageId: textOrNull(row["message_id"]),
    helo: textOrNull(row["helo"]),
    sizeBytes: integerOrNull(row["size_bytes"]),
    verdict: textOrNull(row["verdict"]),
    reason: textOrNull(row["reason"]),
    offence: integerOrNull(row["offence"]),
    count: integerOrNull(row["count"]),
    limit: integerOrNull(row["limit_count"]),
    windowMs: integerOrNull(row["window_ms"]),
    limitKey: textOrNull(row["limit_key"]),
    simulated: textOrNull(row["simulated"]),
    actor: textOrNull(row["actor"]),
    details: text(row["details"]),
    action: text(row["action"]),
  };
}

const ASCII = /^\p{ASCII}*$/u;

/** For `lowerCaseFor`. Exported for its test. */
export function addLowerCase(db: DatabaseSync): void {
  db.function("in_lower_case", { deterministic: true }, (value) => String(value).toLowerCase());
}

/** Converts the searched text to lower case. SQLite's own `lower` handles only ASCII, in half the time. */
export function lowerCaseFor(searched: string): "lower" | "in_lower_case" {
  return ASCII.test(searched) ? "lower" : "in_lower_case";
}
