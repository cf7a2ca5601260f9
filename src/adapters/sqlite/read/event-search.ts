import type { DatabaseSync, StatementSync } from "node:sqlite";
import { overlaps, type Prefix } from "../../../core/net/ip.ts";
import { isoTime } from "../../../core/time.ts";
import type { EventFilter, EventPage } from "../../../engine/storage-ports.ts";
import type { EventItem } from "../../../wire/control/items.ts";
import { integer, integerOrNull, millis, prefix as prefixColumn, text, textOrNull } from "../columns.ts";
import { SIMULATED } from "../engine-db/simulated.ts";
import { EventCandidates } from "./event-candidates.ts";

type Row = Readonly<Record<string, unknown>>;

/** The longest search for one page. Then it returns what it has, and where to continue. */
const LONGEST_MS = 20;
/** Read at once. */
const FEWEST_ROWS = 32;

const COLUMNS = `
  id, at, type, service, ip, prefix, account, sender, recipient, queue_id, message_id, helo, size_bytes, verdict, reason,
  offence, count, limit_count, window_ms, limit_key, actor, details, action, ${SIMULATED} AS simulated`.trim();

/**
 * Events by cursor, type, network and name. A row belongs to a network if its counted unit, or the network that it is
 * about, shares an address with it: `events --ip` of one IPv6 address shows what its /64 did.
 */
export class EventSearch {
  readonly #candidates: EventCandidates;
  readonly #rows: Readonly<Record<EventFilter["order"], StatementSync>>;
  readonly #longestMs: number;

  constructor(db: DatabaseSync, longestMs: number = LONGEST_MS) {
    this.#candidates = new EventCandidates(db);
    const rows = (direction: string): StatementSync =>
      db.prepare(`
        SELECT ${COLUMNS} FROM event WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id ${direction}`);
    this.#rows = { oldest_first: rows("ASC"), newest_first: rows("DESC") };
    this.#longestMs = longestMs;
  }

  find(filter: EventFilter): EventPage {
    const items: EventItem[] = [];
    if (filter.most < 1) return { items, next: null };
    const until = performance.now() + this.#longestMs;
    for (const { ids, reached } of this.#candidates.of(filter)) {
      // Usually most rows match, so no more are read than a page has.
      const atOnce = Math.max(FEWEST_ROWS, filter.most);
      for (let from = 0; from < ids.length; from += atOnce) {
        for (const row of this.#rows[filter.order].all(JSON.stringify(ids.slice(from, from + atOnce)))) {
          if (!isWanted(row, filter)) continue;
          const item = eventItem(row);
          if (items.push(item) === filter.most) return { items, next: item.id };
        }
      }
      if (performance.now() >= until) return { items, next: reached };
    }
    return { items, next: null };
  }
}

function isWanted(row: Row, { type, prefix }: EventFilter): boolean {
  if (type !== undefined && row["type"] !== type) return false;
  return prefix === undefined || isAbout(row["prefix"], prefix);
}

function isAbout(network: unknown, wanted: Prefix): boolean {
  return network !== null && overlaps(prefixColumn(network), wanted);
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
