import type { DatabaseSync } from "node:sqlite";
import type { Ban } from "../../core/decide/decision.ts";
import type { FirewallBan } from "../../core/firewall/plan-firewall.ts";
import { instant, type Millis } from "../../core/time.ts";
import type { BanStep } from "../../guard/network-ports.ts";
import type { BanLog } from "../../guard/storage-ports.ts";
import { integer, ip, level, millis, millisOrNull, prefix, type Row, reason, text } from "../columns.ts";
import { prepared } from "../transactions.ts";

const ACTIVE_PER_PAGE = 1_000;

/**
 * Reads what `sqliteBanTable` writes: the bans in force, and the steps that the firewall follows, as the page does through `banChanges`
 * (queries.ts). Steps are pruned once they are both old and many (`MOST_STEPS` in store/events/retention.ts). A follower that lags behind
 * that far must start over from `active`.
 */
export function sqliteBanLog(db: DatabaseSync): BanLog {
  const sql = prepared(db, {
    last: "SELECT coalesce(max(id), 0) AS id FROM ban_step",
    after: "SELECT id, type, prefix, expires_at FROM ban_step WHERE id > ? ORDER BY id LIMIT ?",
    active: `
      SELECT prefix, expires_at, id FROM ban INDEXED BY ban_standing
      WHERE ended_at IS NULL AND id > ? AND (expires_at IS NULL OR expires_at > ?) AND simulated = 0 ORDER BY id LIMIT ?`,
    expired: `
      SELECT prefix FROM ban WHERE ended_at IS NULL AND expires_at IS NOT NULL AND expires_at <= ?
      ORDER BY expires_at LIMIT ?`,
  });
  /** In pages, so that no statement is open while others use the connection. A replaced ban gets a higher id. */
  function* pages(now: Millis): Generator<FirewallBan, void> {
    for (let after = 0; ; ) {
      const page = sql.active.all(after, now, ACTIVE_PER_PAGE);
      for (const row of page) yield { prefix: prefix(row["prefix"]), expiresAt: millisOrNull(row["expires_at"]) };
      if (page.length < ACTIVE_PER_PAGE) return;
      after = integer(page.at(-1)?.["id"]);
    }
  }
  return {
    last: () => integer(sql.last.get()?.["id"]),
    after: (id, most) => sql.after.all(id, most).map(readStep),
    active: (now) => ({ [Symbol.iterator]: () => pages(now) }),
    expired: (now, most) => sql.expired.all(now, most).map((row) => prefix(row["prefix"])),
  };
}

function readStep(row: Row): BanStep {
  const step = { id: integer(row["id"]), prefix: prefix(row["prefix"]) };
  return text(row["type"]) === "add"
    ? { ...step, type: "add", expiresAt: millisOrNull(row["expires_at"]) }
    : { ...step, type: "delete" };
}

export const BAN_COLUMNS = "prefix, ip, level, code, reason, source, created_at, expires_at, offences, simulated";

/** The newest bans of a network, for `offencesAt`: more than any ladder has rungs. */
export const NEWEST_BANS = `
  SELECT ${BAN_COLUMNS}, ended_at, forgiven, last_event FROM ban WHERE prefix = ? ORDER BY id DESC LIMIT 64`;

/** The last instant that a Date can hold, as the end of a ban that has none. */
const NEVER = 8.64e15;

/**
 * The start of `bans.memory` for each of these bans of a network that counts as an offence: the end of the ban plus the length of each
 * later one. Simulated bans count, and add their length, until the simulation ends (`simulated` is 2 from then on).
 */
export function offencesAt(newestFirst: readonly Row[]): readonly Millis[] {
  let bannedMs = 0;
  return newestFirst.flatMap((row) => {
    const endsAt = Math.min(millisOrNull(row["ended_at"]) ?? NEVER, millisOrNull(row["expires_at"]) ?? NEVER);
    const at = instant(endsAt + bannedMs);
    if (row["simulated"] !== 2) bannedMs += Math.max(0, endsAt - millis(row["created_at"]));
    return integer(row["offences"]) > 0 && row["forgiven"] === 0 ? [at] : [];
  });
}

const SIMULATED = { simulated: true } as const;

export function readBan(row: Row): Ban {
  return {
    prefix: prefix(row["prefix"]),
    ip: ip(row["ip"]),
    level: level(row["level"]),
    code: reason(row["code"]),
    reason: text(row["reason"]),
    source: text(row["source"]),
    createdAt: millis(row["created_at"]),
    expiresAt: millisOrNull(row["expires_at"]),
    offences: integer(row["offences"]),
    ...(row["simulated"] === 1 ? SIMULATED : {}),
  };
}
