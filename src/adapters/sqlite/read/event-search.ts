import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { mailNames } from "../../../core/events/mail-trace.ts";
import { isSingleAddress, isV4, overlaps, type Prefix, prefixLength } from "../../../core/net/ip.ts";
import { isoTime } from "../../../core/time.ts";
import type { EventFilter } from "../../../engine/ports.ts";
import type { EventItem } from "../../../wire/control/items.ts";
import { integer, integerOrNull, millis, prefix as prefixColumn, text, textOrNull } from "../columns.ts";
import { covering } from "../engine-db/network-bounds.ts";

/**
 * Events by cursor, type and network. A row belongs to a network when the unit it was counted under, or the network
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
    const { where, values } = conditions(filter);
    const direction = filter.order === "oldest_first" ? "ASC" : "DESC";
    const statement = this.#statement(`
      SELECT id, at, type, ip, prefix, account, reason, count, limit_count, window_ms, details, action FROM event
      ${where.length === 0 ? "" : `WHERE ${where.join(" AND ")}`} ORDER BY id ${direction} LIMIT ?`);
    // Of a network or a mail the rows are yet to be looked at one by one.
    const exact = filter.mail === undefined && (filter.prefix === undefined || isSingleAddress(filter.prefix));
    const found: EventItem[] = [];
    for (const row of statement.iterate(...values, exact ? filter.most : -1)) {
      const network = row["prefix"] === null ? null : prefixColumn(row["prefix"]);
      if (filter.prefix !== undefined && (network === null || !overlaps(network, filter.prefix))) continue;
      const item = eventItem(row);
      if (filter.mail !== undefined && !isAbout(item, filter.mail)) continue;
      if (found.push(item) >= filter.most) break;
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

type Conditions = Readonly<{ where: readonly string[]; values: readonly SQLInputValue[] }>;

/** Finding a mail or an account walks over the rows: at most so many of the newest, about half a second's work. */
const WALKED_EVENTS = 500_000;

function conditions({ after, before, type, prefix, account, mail }: EventFilter): Conditions {
  const where: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (condition: string, ...bound: readonly SQLInputValue[]): void => {
    where.push(condition);
    values.push(...bound);
  };
  if (after !== undefined) add("id > ?", after);
  if (before !== undefined) add("id < ?", before);
  if (type !== undefined) add("type = ?", type);
  if (prefix !== undefined) {
    // Rows about the network or a wider one are found by their index; only a network can also hold narrower ones,
    // for which the table is walked until enough are found (`+` keeps SQLite from gathering and sorting them all).
    // It drops most rows by their text before `overlaps` looks closely.
    const wider = JSON.stringify(covering(prefix));
    if (isSingleAddress(prefix))
      add("id IN (SELECT id FROM event_by_subject WHERE subject IN (SELECT value FROM json_each(?)))", wider);
    else add("(+prefix GLOB ? OR +prefix IN (SELECT value FROM json_each(?)))", `${sharedText(prefix)}*`, wider);
  }
  if (account !== undefined || mail !== undefined)
    add(`id > (SELECT coalesce(max(id), 0) - ${WALKED_EVENTS} FROM event)`);
  if (account !== undefined) {
    const name = account.toLowerCase();
    add(
      "(account = ? COLLATE NOCASE OR instr(lower(details), ?) > 0 OR (prefix IS NULL AND substr(lower(details), 1, ?) = ?))",
      name,
      `to=<${name}>`,
      name.length + 1,
      `${name} `,
    );
  }
  if (mail !== undefined) add("(type LIKE 'EMAIL%' OR type = 'SPAM_SCORED') AND instr(details, ?) > 0", mail);
  return { where, values };
}

/** What was found by its text alone may be a sender's invention: the names are read from where only we write them. */
function isAbout({ type, details }: EventItem, mail: string): boolean {
  const names = mailNames(type, details);
  return names !== null && (names.queueId === mail || names.messageId.replace(/^<(.*)>$/, "$1") === mail);
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
    ip: textOrNull(row["ip"]),
    account: textOrNull(row["account"]),
    reason: textOrNull(row["reason"]),
    count: integerOrNull(row["count"]),
    limit: integerOrNull(row["limit_count"]),
    windowMs: integerOrNull(row["window_ms"]),
    details: text(row["details"]),
    action: text(row["action"]),
  };
}
