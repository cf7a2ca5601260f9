import type { DatabaseSync } from "node:sqlite";
import type { Ban, Change } from "../../core/decide/decision.ts";
import { isSingleAddress, isV4, type Prefix, prefixLength, widened } from "../../core/net/ip.ts";
import { isOver, type Millis } from "../../core/time.ts";
import type { AddressHistory } from "../../guard/storage-ports.ts";
import { integer, millis } from "../columns.ts";
import { readBan } from "./ban-log.ts";
import { boundsOf } from "./network-columns.ts";
import type { StoreStatements } from "./store-statements.ts";

/** The guard's table of bans: a row each, which gets the time and cause of its end. Each start and end is also a step, which the firewall follows (`SqliteBanLog`). */
export class BanTable {
  readonly #lengths: BanLengths;
  readonly #sql: StoreStatements;

  constructor(db: DatabaseSync, sql: StoreStatements) {
    this.#lengths = new BanLengths(db);
    this.#sql = sql;
  }

  add(ban: Ban, at: Millis): void {
    this.#lengths.add(ban.prefix);
    const { first, last } = boundsOf(ban.prefix);
    this.#sql.endBan.run(at, "REPLACED", ban.source, 0, ban.prefix);
    this.#sql.insertBan.run(
      ban.prefix,
      first,
      last,
      ban.ip,
      ban.level,
      ban.code,
      ban.reason,
      ban.source,
      ban.createdAt,
      ban.expiresAt,
      ban.offences,
      ban.simulated === true ? 1 : 0,
    );
    if (ban.simulated !== true) this.#sql.step.run(at, "add", ban.prefix, ban.expiresAt);
  }

  lift(change: Extract<Change, { type: "LIFT" }>, at: Millis): void {
    const isSimulated = this.ban(change.prefix)?.simulated === true;
    const ended = this.#sql.endBan.run(at, change.cause, change.by, change.forgiven ? 1 : 0, change.prefix);
    if (ended.changes === 0) return;
    if (!isSimulated) this.#sql.step.run(at, "delete", change.prefix, null);
    if (!change.forgiven || isSingleAddress(change.prefix)) return;
    const { first, last } = boundsOf(change.prefix);
    this.#sql.forgiveWithin.run(first, last, last, change.prefix);
  }

  /** The ban in force on exactly this network. */
  ban(prefix: Prefix): Ban | null {
    const row = this.#sql.ban.get(prefix);
    return row === undefined ? null : readBan(row);
  }

  /** Bans in force on the network or within it. */
  within(prefix: Prefix): readonly Ban[] {
    if (isSingleAddress(prefix)) {
      const ban = this.ban(prefix);
      return ban === null ? [] : [ban];
    }
    const { first, last } = boundsOf(prefix);
    return this.#sql.bansWithin.all(first, last, last).map(readBan);
  }

  /** The ban in force on a wider network around it. */
  around(prefix: Prefix): Ban | null {
    for (const network of this.#lengths.around(prefix)) {
      const ban = this.ban(network);
      if (ban !== null) return ban;
    }
    return null;
  }

  /** Whether a ban of the network, or of one around it, is in force and not a simulated one. */
  isBanned(prefix: Prefix, now: Millis): boolean {
    const bans = [prefix, ...this.#lengths.around(prefix)].flatMap((network) => this.ban(network) ?? []);
    // While the database takes no writes, the end of a ban is not recorded.
    return bans.some(({ simulated, expiresAt }) => simulated !== true && !isOver(expiresAt, now));
  }

  /** All bans of the network. Events count again after the newest ban. */
  of(prefix: Prefix): typeof NO_BANS {
    const rows = this.#sql.bansOf.all(prefix, MOST_BANS);
    const newest = rows[0];
    if (newest === undefined) return NO_BANS;
    const offencesAt = rows
      .filter((row) => integer(row["offences"]) > 0 && row["forgiven"] === 0)
      .map((row) => millis(row["created_at"]));
    return {
      facts: { ban: newest["ended_at"] === null ? readBan(newest) : null, offencesAt: offencesAt.reverse() },
      countsAfter: integer(newest["last_event"]),
      forgivenUpTo: rows.reduce(
        (id, row) => (row["forgiven"] === 1 ? Math.max(id, integer(row["last_event"])) : id),
        0,
      ),
    };
  }
}

/** More offences than any ladder has rungs. */
const MOST_BANS = 64;

/** Both are event ids. Only events after `countsAfter` count; `forgivenUpTo` is the last event that an administrator forgave. */
export const NO_BANS: Readonly<{
  facts: Pick<AddressHistory, "ban" | "offencesAt">;
  countsAfter: number;
  forgivenUpTo: number;
}> = { facts: { ban: null, offencesAt: [] }, countsAfter: 0, forgivenUpTo: 0 };

/**
 * The prefix lengths of banned networks. There are few, so each is tried with an exact lookup to find a wider network
 * around an address. An unused length stays; it costs only a lookup.
 */
export class BanLengths {
  readonly #v4 = new Set<number>();
  readonly #v6 = new Set<number>();

  constructor(db: DatabaseSync) {
    const rows = db
      .prepare(
        `SELECT DISTINCT instr(prefix, ':') > 0 AS v6, CAST(substr(prefix, instr(prefix, '/') + 1) AS INTEGER) AS length
        FROM ban WHERE ended_at IS NULL`,
      )
      .all();
    for (const row of rows) (row["v6"] === 1 ? this.#v6 : this.#v4).add(integer(row["length"]));
  }

  add(network: Prefix): void {
    (isV4(network) ? this.#v4 : this.#v6).add(prefixLength(network));
  }

  /** The networks around this one that could be banned, narrowest first. */
  around(network: Prefix): readonly Prefix[] {
    const own = prefixLength(network);
    const lengths = isV4(network) ? this.#v4 : this.#v6;
    if (lengths.size === 0 || (lengths.size === 1 && lengths.has(own))) return NONE;
    return [...lengths]
      .filter((length) => length < own)
      .sort((a, b) => b - a)
      .map((length) => widened(network, length));
  }
}

const NONE: readonly Prefix[] = [];
