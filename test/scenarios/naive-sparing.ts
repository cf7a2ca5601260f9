import { BlockList } from "node:net";
import type { Change, Decision } from "../../src/core/decide/decision.ts";
import type { ClientEvent } from "../../src/core/events/event.ts";
import type { Protection } from "../../src/core/events/reasons.ts";
import { contains, type Ip, type Prefix } from "../../src/core/net/ip.ts";
import { MINUTE_MS, type Millis } from "../../src/core/time.ts";

/** The oracle's view of the addresses that no ban may hit, by the words of docs/bans.md and not by the rules of the core. */

export type Seen = Readonly<{ at: Millis; event: ClientEvent }>;
export type AdministratorSeen = Readonly<{ at: Millis; ip: Ip }>;

const PRIVATE = new BlockList();
PRIVATE.addSubnet("10.0.0.0", 8);
PRIVATE.addSubnet("172.16.0.0", 12);
PRIVATE.addSubnet("192.168.0.0", 16);

/** "An address from which an administrator used the dashboard or an API token within half an hour." */
export function isAdministrators(network: Prefix, seen: readonly AdministratorSeen[], now: Millis): boolean {
  return seen.some(({ at, ip }) => now - at < 30 * MINUTE_MS && contains(network, ip));
}

/**
 * "A private address that nine of ten connections and sign-ins by IPv4 of the last half hour come from, and that gave at least
 * three names before it went over a limit." `seen`: since the engine started, the event that is decided included.
 */
export function isCrowd(network: Prefix, seen: readonly Seen[], now: Millis): boolean {
  const lately = lastTwoHalfHours(seen);
  const all = lately.filter((one) => isVisit(one) && !one.event.ip.includes(":")).length;
  const addresses = new Set(lately.map(({ event }) => event.ip).filter((ip) => PRIVATE.check(ip)));
  return [...addresses].some((ip) => {
    if (!contains(network, ip)) return false;
    const of = lately.filter(({ event }) => event.ip === ip);
    const visits = of.filter(isVisit).length;
    const names = new Set(of.flatMap((one) => nameIn(one, now)));
    return visits >= 10 && visits * 10 >= all * 9 && names.size >= 3;
  });
}

/** A half hour starts with the first visit after the one before is over. */
function lastTwoHalfHours(seen: readonly Seen[]): readonly Seen[] {
  const halves: Seen[][] = [[], []];
  let began: number | null = null;
  for (const one of seen) {
    if (isVisit(one) && (began === null || one.at - began >= 30 * MINUTE_MS)) {
      halves.push([]);
      began = one.at;
    }
    halves.at(-1)?.push(one);
  }
  return halves.slice(-2).flat();
}

function isVisit({ event }: Seen): boolean {
  return event.type === "CONNECT" || event.type === "LOGIN_ASKED";
}

/** A proven name counts at once; one that any client could give counts a minute later. */
function nameIn({ at, event }: Seen, now: Millis): readonly string[] {
  if (event.type === "LOGIN_SUCCEEDED") return [event.login.toLowerCase()];
  if (now - at < MINUTE_MS) return [];
  if (event.type === "LOGIN_ASKED") return [event.login.toLowerCase()];
  return event.type === "RECIPIENT" && event.helo !== "" ? [event.helo.toLowerCase()] : [];
}

type WasReported = (prefix: Prefix) => boolean;

/** The decision without its ban, and with a report of that unless one was made a moment ago. */
export function unbanned(due: Decision, event: ClientEvent, why: Protection, wasReported: WasReported): Decision {
  const changes = due.changes.flatMap((change): readonly Change[] => {
    if (change.type !== "BAN") return [change];
    const { prefix, ip, code } = change.ban;
    const silent = event.type === "JAIL_REPORTED" || wasReported(prefix);
    return silent ? [] : [{ type: "SPARE", prefix, ip, why, code }];
  });
  switch (event.type) {
    case "LOGIN_ASKED":
    case "END_OF_MESSAGE":
      return { ...due, changes };
    case "RECIPIENT":
      return { ...due, changes, reason: "recipient_unknown" };
    default:
      return { ...due, changes, verdict: "pass", reason: why };
  }
}
