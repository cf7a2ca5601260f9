import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { bareMessageId } from "../../../core/events/queue-id.ts";
import { isSingleAddress, isV4, overlaps, type Prefix, prefixLength } from "../../../core/net/ip.ts";
import { isoTime } from "../../../core/time.ts";
import type { EventFilter } from "../../../engine/ports.ts";
import type { EventItem } from "../../../wire/control/items.ts";
import { integer, integerOrNull, millis, prefix as prefixColumn, text, textOrNull } from "../columns.ts";
import { covering } from "../engine-db/network-bounds.ts";

/**
 * Events by cursor, type, network and name. A row belongs to a network when the unit it was counted under, or the network
 * it is about, shares an address with it: `events --ip` of one IPv6 address shows what its /64 did.
 */
export class EventSearch {
  readonly #db: DatabaseSync;
  /** One statement for each combination of filters, made when first needed: at most a few dozen. */
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  find(filter: EventFilter): readonly EventItem[] {
    if (filter.most < 1) return [];
    const queries = queriesOf(filter);
    const found = queries.flatMap((query) => this.#run(query, filter));
    if (queries.length === 1) return found;
    const sign = filter.order === "oldest_first" ? 1 : -1;
    const inOrder = new Map(found.toSorted((a, b) => sign * (a.id - b.id)).map((item) => [item.id, item]));
    return [...inOrder.values()].slice(0, filter.most);
  }

  #run({ sql, values }: Query, { prefix, most }: EventFilter): readonly EventItem[] {
    const statement = this.#statement(sql);
    // Of a network the rows are yet to be looked at one by one.
    const isExact = prefix === undefined || isSingleAddress(prefix);
    const found: EventItem[] = [];
    for (const row of statement.iterate(...values, isExact ? most : -1)) {
      const network = row["prefix"] === null ? null : prefixColumn(row["prefix"]);
      if (prefix !== undefined && (network === null || !overlaps(network, prefix))) continue;
      if (found.push(eventItem(row)) >= most) break;
    }
    return found;
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#db.prepare(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

/** Its last value, the limit, is still to be bound. */
export type Query = Readonly<{ sql: string; values: readonly SQLInputValue[] }>;

const COLUMNS = `
  id, at, type, service, ip, prefix, account, sender, recipient, queue_id, message_id, helo, size_bytes, verdict, reason,
  offence, count, limit_count, window_ms, limit_key, actor, details, action`.replace(/\w+/g, "event.$&");

/** As `event_names` and `event_name` have them. */
const ROLE = { person: 1, queueId: 2, messageId: 3 } as const;

/** What finds the events: by name several, whose rows are put in order. */
export function queriesOf(filter: EventFilter): readonly Query[] {
  const { where, values } = conditions(filter);
  const named = namesOf(filter);
  const direction = filter.order === "oldest_first" ? "ASC" : "DESC";
  if (named.length === 0)
    return [{ sql: `SELECT ${COLUMNS} FROM event${all(where)} ORDER BY event.id ${direction} LIMIT ?`, values }];
  return named.flatMap(([role, name]) => [
    {
      sql: `
        SELECT ${COLUMNS} FROM event_name AS n CROSS JOIN event ON event.id = n.id
        ${all(["n.role = ?", "n.name = ?", ...where.map((one) => one.replace(/^event\.id /, "n.id "))])}
        ORDER BY n.id ${direction} LIMIT ?`,
      values: [role, name, ...values],
    },
    {
      // What has not entered the index yet.
      sql: `
        SELECT ${COLUMNS} FROM event
        ${all([`event.id IN (SELECT id FROM event_names WHERE id > (SELECT names FROM event_indexed) AND role = ? AND name = ?)`, ...where])}
        ORDER BY event.id ${direction} LIMIT ?`,
      values: [role, name, ...values],
    },
  ]);
}

function all(where: readonly string[]): string {
  return where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`;
}

/** An account and a mail together are not asked for. */
function namesOf({ account, mail }: EventFilter): readonly (readonly [role: number, name: string])[] {
  if (account !== undefined) return [[ROLE.person, inLowerCase(account)]];
  if (mail === undefined) return [];
  return [
    [ROLE.queueId, mail],
    [ROLE.messageId, bareMessageId(mail)],
  ];
}

/** As SQLite's `lower` does. */
function inLowerCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function conditions({ after, before, type, prefix }: EventFilter): {
  readonly where: readonly string[];
  readonly values: readonly SQLInputValue[];
} {
  const where: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (condition: string, ...bound: readonly SQLInputValue[]): void => {
    where.push(condition);
    values.push(...bound);
  };
  if (after !== undefined) add("event.id > ?", after);
  if (before !== undefined) add("event.id < ?", before);
  if (type !== undefined) add("event.type = ?", type);
  if (prefix !== undefined) {
    // Rows about the network or a wider one are found by their index; only a network can also hold narrower ones,
    // for which the table is walked until enough are found (`+` keeps SQLite from gathering and sorting them all).
    // It drops most rows by their text before `overlaps` looks closely.
    const wider = JSON.stringify(covering(prefix));
    if (isSingleAddress(prefix))
      add("event.id IN (SELECT id FROM event_by_subject WHERE subject IN (SELECT value FROM json_each(?)))", wider);
    else add("(+prefix GLOB ? OR +prefix IN (SELECT value FROM json_each(?)))", `${sharedText(prefix)}*`, wider);
  }
  return { where, values };
}

/** What the text of every network within this one begins with (RFC 5952 shortens from the first group of zeros on). */
function sharedText(network: Prefix): string {
  const [separator, groupBits] = isV4(network) ? [".", 8] : [":", 16];
  const fixed = Math.floor(prefixLength(network) / groupBits);
  const groups = network.slice(0, network.indexOf("/")).split(separator).slice(0, fixed);
  const shortened = isV4(network) ? -1 : groups.findIndex((group) => group === "" || group === "0");
  const kept = shortened < 0 ? groups : groups.slice(0, shortened);
  return kept.map((group) => `${group}${separator}`).join("");
}

function eventItem(row: Readonly<Record<string, unknown>>): EventItem {
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
    actor: textOrNull(row["actor"]),
    details: text(row["details"]),
    action: text(row["action"]),
  };
}
