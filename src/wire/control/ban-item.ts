import type { Ban } from "../../core/decide/decision.ts";
import { isoTime } from "../../core/time.ts";
import type { BanItem } from "../verbs/bans.ts";

export function banItem(ban: Ban): BanItem {
  return {
    ip: ban.ip,
    prefix: ban.prefix,
    level: ban.level,
    code: ban.code,
    reason: ban.reason,
    source: ban.source,
    createdAt: isoTime(ban.createdAt),
    expiresAt: ban.expiresAt === null ? null : isoTime(ban.expiresAt),
    offences: ban.offences,
  };
}
