import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { EventItem } from "../../admin/declare/items.ts";
import { bareMessageId, isQueueId } from "../../core/events/queue-id.ts";
import { overlaps } from "../../core/net/ip.ts";
import { isoTime } from "../../core/time.ts";
import type { EventFilter, EventPage } from "../../guard/storage-ports.ts";
import { integer, integerOrNull, millis, prefix as prefixColumn, SIMULATED, text, textOrNull } from "../columns.ts";
import { EventCandidates } from "./event-candidates.ts";
import { EventTimes } from "./event-streams.ts";

/** The values of `COLUMNS`, in their order. As an array, a row takes half the time of an object. */
type Row = readonly unknown[];

/** The longest search for one page. Then it returns what it has, and where to continue. */
const LONGEST_MS = 20;
/** Rows read at once; and for a text filter, which most rows do not match. */
const FEWEST_ROWS = 32;
const SEARCHED_ROWS = 256;

const COLUMNS = `
  id, at, type, service, ip, prefix, account, sender, recipient, queue_id, message_id, helo, size_bytes, verdict, reason,
  offence, count, limit_count, window_ms, limit_key, actor, details, action, ${SIMULATED} AS simulated`.trim();

/** The text of an event that is shown. */
const SHOWN = `concat_ws(char(10), details, action, ip, account, sender, recipient, queue_id, message_id, helo, reason, actor)`;

/**
 * Events by cursor, type, time, text, network and name. A row belongs to a network if its prefix shares an address with
 * it: `events --ip` of one IPv6 address shows what its /64 did.
 */
export class EventSearch {
  readonly #candidates: EventCandidates;
  readonly #times: EventTimes;
  readonly #rows: Readonly<Record<EventFilter["order"], ReturnType<typeof rowsIn>>>;
  readonly #longestMs: number;

  constructor(db: DatabaseSync, longestMs: number = LONGEST_MS) {
    addLowerCase(db);
    this.#times = new EventTimes(db);
    this.#candidates = new EventCandidates(db, this.#times);
    this.#rows = { oldest_first: rowsIn(db, "ASC"), newest_first: rowsIn(db, "DESC") };
    this.#longestMs = longestMs;
  }

  find(filter: EventFilter): EventPage {
    const items: EventItem[] = [];
    if (filter.most < 1) return { items, next: null };
    const until = performance.now() + this.#longestMs;
    // Usually most rows match, so only as many as a page are read.
    const atOnce = filter.text === undefined ? Math.max(FEWEST_ROWS, filter.most) : SEARCHED_ROWS;
    for (const span of this.#times.spansOf(filter)) {
      for (const { ids, reached } of this.#candidates.of({ ...filter, ...span })) {
        for (let from = 0; from < ids.length; from += atOnce) {
          const some = ids.slice(from, from + atOnce);
          for (const row of this.#read(some, filter)) {
            if (!matches(row, filter)) continue;
            const item = eventItem(row);
            if (items.push(item) === filter.most) return this.#upTo(items, item.id);
          }
          if (from + atOnce < ids.length && performance.now() >= until)
            return this.#upTo(items, some.at(-1) ?? reached);
        }
        if (performance.now() >= until) return this.#upTo(items, reached);
      }
    }
    return { items, next: null };
  }

  #read(ids: readonly number[], { order, text: searched, from, to }: EventFilter): readonly Row[] {
    const { all, having } = this.#rows[order];
    const asked = [JSON.stringify(ids), from ?? 0, to ?? Number.MAX_SAFE_INTEGER] as const;
    const rows: readonly unknown[] =
      searched === undefined ? all.all(...asked) : having[lowerCaseFor(searched)].all(...asked, searched.toLowerCase());
    return rows.filter(isRow);
  }

  #upTo(items: readonly EventItem[], next: number): EventPage {
    const searchedTo = this.#times.at(next);
    return { items, next, ...(searchedTo !== null && { searchedTo }) };
  }
}

function rowsIn(db: DatabaseSync, direction: "ASC" | "DESC") {
  const rows = (besides: string): StatementSync => {
    const statement = db.prepare(`
      SELECT ${COLUMNS} FROM event
      WHERE id IN (SELECT value FROM json_each(?)) AND at BETWEEN ? AND ? ${besides} ORDER BY id ${direction}`);
    statement.setReturnArrays(true);
    return statement;
  };
  const having = (lower: string): StatementSync => rows(`AND instr(${lower}(${SHOWN}), ?)`);
  return { all: rows(""), having: { lower: having("lower"), in_lower_case: having("in_lower_case") } };
}

function matches([, , type, , , rowPrefix, , , , , messageId]: Row, filter: EventFilter): boolean {
  const { prefix, types = [], mail } = filter;
  if (types.length > 0 && !types.includes(text(type))) return false;
  if (mail !== undefined && !isQueueId(mail) && !isNamed(messageId, mail)) return false;
  return prefix === undefined || (rowPrefix !== null && overlaps(prefixColumn(rowPrefix), prefix));
}

/** The index cuts long Message-IDs, and so finds those together that differ only after that. */
function isNamed(messageId: unknown, asked: string): boolean {
  return typeof messageId === "string" && bareMessageId(messageId) === bareMessageId(asked);
}

function isRow(row: unknown): row is Row {
  return Array.isArray(row);
}

function eventItem([
  id,
  at,
  type,
  service,
  ip,
  ,
  account,
  sender,
  recipient,
  queueId,
  messageId,
  helo,
  sizeBytes,
  verdict,
  reason,
  offence,
  count,
  limit,
  windowMs,
  limitKey,
  actor,
  details,
  action,
  simulated,
]: Row): EventItem {
  return {
    id: integer(id),
    at: isoTime(millis(at)),
    type: text(type),
    service: textOrNull(service),
    ip: textOrNull(ip),
    account: textOrNull(account),
    sender: textOrNull(sender),
    recipient: textOrNull(recipient),
    queueId: textOrNull(queueId),
    messageId: textOrNull(messageId),
    helo: textOrNull(helo),
    sizeBytes: integerOrNull(sizeBytes),
    verdict: textOrNull(verdict),
    reason: textOrNull(reason),
    offence: integerOrNull(offence),
    count: integerOrNull(count),
    limit: integerOrNull(limit),
    windowMs: integerOrNull(windowMs),
    limitKey: textOrNull(limitKey),
    simulated: textOrNull(simulated),
    actor: textOrNull(actor),
    details: text(details),
    action: text(action),
  };
}

const ASCII = /^\p{ASCII}*$/u;

/** For `lowerCaseFor`. */
export function addLowerCase(db: DatabaseSync): void {
  db.function("in_lower_case", { deterministic: true }, (said) => String(said).toLowerCase());
}

/** Converts the searched text to lower case. SQLite's own `lower` handles only ASCII, in half the time. */
export function lowerCaseFor(searched: string): "lower" | "in_lower_case" {
  return ASCII.test(searched) ? "lower" : "in_lower_case";
}
