import type { Decision } from "../../core/decide/decision.ts";
import type { Facts } from "../../core/decide/facts.ts";
import type { Event } from "../../core/events/event.ts";
import type { Service } from "../../core/events/event-types.ts";
import type { Ip } from "../../core/net/ip.ts";
import { isoTime, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { Clock, Notices } from "../ports.ts";

/** By this time the kernel has the ban, and the client's sessions are closed. */
export const EFFECTIVE_AFTER_MS = 15 * SECOND_MS;
/** How long a notice stays after its last sighting. */
const NOTICE_FOR_MS = 10 * MINUTE_MS;

/** A committed event of a banned client that should not have got so far. */
export type Sighting = Readonly<{
  ip: Ip;
  service: Service;
  since: Millis;
  /** Whether Dovecot asked about a sign-in to Postfix: it does not know about a proxy in front of Postfix. */
  mayBeProxied: boolean;
}>;

/** Null for nearly every event. All clients of the dashboard, and some mail clients, come through a proxy, past the firewall. */
export function sightingOf(event: Event, decided: Decision, { ban }: Pick<Facts, "ban">, now: Millis): Sighting | null {
  if (decided.reason !== "banned" || ban === null || !("service" in event) || event.service === "dashboard")
    return null;
  if ("proxied" in event) return null;
  // A simulated ban is not in the firewall.
  if (ban.simulated === true) return null;
  if (now - ban.createdAt < EFFECTIVE_AFTER_MS) return null;
  const { ip, service, type } = event;
  const mayBeProxied = type === "LOGIN_ASKED" && service === "submission";
  return { ip, service, since: ban.createdAt, mayBeProxied };
}

type BanLeakMonitorParts = Readonly<{
  notices: Notices;
  clock: Clock;
  isEnforcing: () => boolean;
  /** Whether some mail clients come through a proxy. */
  hasProxies: boolean;
  /** Rebuilds the firewall's table, which may lack the ban. */
  rebuild: () => void;
}>;
/** If a new table does not stop a leak, rebuilding it each second would not either. */
const REBUILD_EVERY_MS = MINUTE_MS;

/** Turns sightings into a notice, and removes it when there was none for a while. */
export function createLeakMonitor({ notices, clock, isEnforcing, hasProxies, rebuild }: BanLeakMonitorParts) {
  let seenAt: Millis | null = null;
  let rebuiltAt: Millis | null = null;
  return {
    noteSighting: ({ ip, since, service, mayBeProxied }: Sighting): void => {
      // If the firewall does not work, another notice says so. A client without a proxy was already seen when it connected.
      if (!isEnforcing() || (mayBeProxied && hasProxies)) return;
      const now = clock.now();
      seenAt = now;
      notices.set("bans_leak", `${ip}, banned since ${isoTime(since)}, reached ${service}`);
      if (rebuiltAt !== null && Math.abs(now - rebuiltAt) < REBUILD_EVERY_MS) return;
      rebuiltAt = now;
      rebuild();
    },
    /** Call it about every second. */
    look: (): void => {
      if (seenAt === null || Math.abs(clock.now() - seenAt) < NOTICE_FOR_MS) return;
      seenAt = null;
      notices.set("bans_leak", null);
    },
  };
}
