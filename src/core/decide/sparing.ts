import type { Event } from "../events/event.ts";
import type { Protection } from "../events/reasons.ts";
import { type Ip, isV4 } from "../net/ip.ts";
import type { Ban, Change, Decision } from "./decision.ts";

/** The ban that a decision brings; null where it brings none. */
export function banIn(decided: Decision): Ban | null {
  return decided.changes.find((change) => change.type === "BAN")?.ban ?? null;
}

/**
 * The decision without its ban: what was refused for the ban's sake alone passes, what would have been refused anyway
 * still is. `isNews`: whether this is worth an event of its own; a report of Fail2ban is one already.
 */
export function spared(decided: Decision, event: Event, why: Protection, isNews: boolean): Decision {
  const changes = decided.changes.flatMap((change): readonly Change[] => {
    if (change.type !== "BAN") return [change];
    const { prefix, ip, code } = change.ban;
    return isNews && event.type !== "JAIL_REPORTED" ? [{ type: "SPARE", prefix, ip, why, code }] : [];
  });
  if (event.type === "LOGIN_ASKED") return { ...decided, reason: "account_guarded", changes };
  if (event.type === "RECIPIENT") return { ...decided, reason: "recipient_unknown", changes };
  return { ...decided, verdict: "pass", reason: why, changes };
}

/** RFC 1918, RFC 6598 (behind a provider's NAT), RFC 3927; RFC 4193 and link-local in IPv6. */
export function isPrivate(ip: Ip): boolean {
  if (!isV4(ip)) return /^f([cd]|e[89ab])/.test(ip);
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|169\.254\.)/.test(ip);
}
