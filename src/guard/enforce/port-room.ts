import { connectionName } from "../../core/events/connection.ts";
import { type Connection, type ConnectionPlan } from "../../core/firewall/connection-shares.ts";
import {
  type ConnectionProgress,
  crowdedPorts,
  type PortPlan,
  type PortRules,
  planRoom,
} from "../../core/firewall/crowded-ports.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { plural } from "../../core/text.ts";
import { instant, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { SmtpProgress } from "../facts/smtp-sessions.ts";
import type { OpenConnections } from "../network-ports.ts";
import type { Clock, Notices } from "../ports.ts";

/** How long the notice stays after the last check that found a port crowded. */
const NOTICE_FOR_MS = MINUTE_MS;
/** How long the kernel refuses a stranger whose idle connection was closed, so that it does not simply reconnect. */
const REFUSED_MS = 30 * SECOND_MS;

type PortRoomParts = Readonly<{
  kernel: Pick<OpenConnections, "silences">;
  rules: () => PortRules;
  /** The progress of connections to Postfix's ports. */
  progress: Pick<SmtpProgress, "of">;
  notices: Notices;
  clock: Clock;
}>;

type CrowdedPort = Readonly<{ at: Millis; taken: number; places: number; ended: number; worst: string }>;

/**
 * `isCrowded`: whether a port is nearly full. `end`: open connections to close. `refused`: clients to refuse,
 * because their idle connections were closed recently.
 */
type RoomPlan = Readonly<{ isCrowded: boolean; end: readonly Connection[]; refused: ConnectionPlan["refused"] }>;

/** Detects nearly full ports, and chooses which clients must make room. Raises a notice while a port is nearly full. */
export function createPortRoom({ kernel, rules, progress, notices, clock }: PortRoomParts) {
  /** When each connection was first seen. */
  let seenSince: ReadonlyMap<string, Millis> = new Map();
  const crowded = new Map<number, CrowdedPort>();
  /** By port and prefix; oldest first. */
  const refused = new Map<string, Readonly<{ prefix: Prefix; port: number; at: Millis }>>();
  const stillRefused = (plans: readonly PortPlan[], now: Millis, { isKnown }: PortRules): ConnectionPlan["refused"] => {
    for (const [key, { at }] of refused) if (Math.abs(now - at) >= REFUSED_MS) refused.delete(key);
    for (const plan of plans)
      for (const prefix of plan.refused) refused.set(`${plan.port} ${prefix}`, { prefix, port: plan.port, at: now });
    // An account may have signed in from there since, on a different port.
    return [...refused.values()].filter(({ prefix }) => !isKnown(prefix)).map(({ prefix, port }) => ({ prefix, port }));
  };
  const report = (plans: readonly PortPlan[], now: Millis): void => {
    for (const { port, taken, places, cut, worst } of plans) {
      const before = crowded.get(port);
      const ended = cut.length + (before?.ended ?? 0);
      crowded.set(port, { at: now, taken, places, ended, worst: worst ?? before?.worst ?? "" });
    }
    for (const [port, { at }] of crowded) if (Math.abs(now - at) >= NOTICE_FOR_MS) crowded.delete(port);
    notices.set("ports_crowded", crowded.size > 0 ? [...crowded].map(detailOf).join("; ") : null);
  };
  return {
    plan: async (open: readonly Connection[]): Promise<RoomPlan> => {
      const now = clock.now();
      const before = seenSince;
      const since = new Map(
        open.map(connectionName).map((key) => [key, instant(Math.min(now, before.get(key) ?? now))]),
      );
      seenSince = since;
      const asked = rules();
      const there = crowdedPorts(open, asked.places);
      const silences = there.size === 0 ? NONE : await kernel.silences([...there.keys()]);
      const progressOf = (one: Connection): ConnectionProgress => {
        const key = connectionName(one);
        const reached = progress.of(key, now);
        return {
          stalledMs: now - Math.max(since.get(key) ?? now, reached?.at ?? 0),
          silentMs: silences.get(key) ?? 0,
          isTransferring: reached?.isTransferring ?? false,
        };
      };
      const plans = [...there].map(([port, connections]) => planRoom(port, connections, progressOf, asked));
      report(plans, now);
      const end = plans.flatMap(({ cut }) => cut);
      return { isCrowded: plans.length > 0, end, refused: stillRefused(plans, now, asked) };
    },
  };
}

const NONE: ReadonlyMap<string, number> = new Map();

function detailOf([port, { taken, places, ended, worst }]: readonly [number, CrowdedPort]): string {
  const most = worst === "" ? "" : `, the most from ${worst}`;
  return `port ${port}: ${plural(taken, "connection")}, room for ${places}${most}; ${ended} ended`;
}
