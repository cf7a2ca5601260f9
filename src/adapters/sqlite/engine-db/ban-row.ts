import type { Ban } from "../../../core/decide/decision.ts";
import { integer, ip, level, millis, millisOrNull, prefix, reason, text } from "../columns.ts";

/** The columns of a Ban. */
export const BAN_COLUMNS = "prefix, ip, level, code, reason, source, created_at, expires_at, offences, simulated";

const SIMULATED = { simulated: true } as const;

export function readBan(row: Readonly<Record<string, unknown>>): Ban {
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
