import type { DatabaseSync } from "node:sqlite";
import type { Ban, Change } from "../../../core/decide/decision.ts";
import { isSingleAddress, type Prefix } from "../../../core/net/ip.ts";
import type { Millis } from "../../../core/time.ts";
import type { AddressHistory } from "../../../engine/storage-ports.ts";
import { integer, millis } from "../columns.ts";
import { BanLengths } from "./ban-lengths.ts";
import { readBan } from "./ban-row.ts";
import { boundsOf } from "./network-bounds.ts";
import type { StoreStatements } from "./store-statements.ts";

/** The guard's table of bans. Each end is a separate row, and each step of the table is stored. */
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
      countedUntil: integer(newest["answered"]),
      forgiven: rows.reduce((id, row) => (row["forgiven"] === 1 ? Math.max(id, integer(row["answered"])) : id), 0),
    };
  }
}

/** More offences than any ladder has rungs. */
const MOST_BANS = 64;

/** Event ids. `countedUntil`: the last event when the newest ban started or ended; `forgiven`: the last event that an administrator forgave. */
export const NO_BANS: Readonly<{
  facts: Pick<AddressHistory, "ban" | "offencesAt">;
  countedUntil: number;
  forgiven: number;
}> = { facts: { ban: null, offencesAt: [] }, countedUntil: 0, forgiven: 0 };
