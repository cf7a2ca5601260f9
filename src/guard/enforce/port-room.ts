import { connectionName } from "../../core/events/connection.ts";
import { type Connection, type ConnectionPlan } from "../../core/firewall/connection-shares.ts";
import { type Crowd, type CrowdRules, crowdedPorts, planRoom, type Standing } from "../../core/firewall/ports.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { plural } from "../../core/text.ts";
import { instant, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { SmtpProgress } from "../facts/smtp-sessions.ts";
import type { OpenConnections } from "../network-ports.ts";
import type { Clock, Notices } from "../ports.ts";

/** How long the notice stays after the last check that found a port crowded. */
const NOTICE_FOR_MS = MINUTE_MS;
/** How long the kernel refuses a stranger whose idle connection was closed and who would take the same place again. */
const REFUSED_MS = 30 * SECOND_MS;

type PortRoomParts = Readonly<{
  kernel: Pick<OpenConnections, "silences">;
  rules: () => CrowdRules;
  /** Of connections to Postfix's ports. */
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

/** Detects nearly full ports, and chooses which clients must make room. There is a notice while it lasts. */
export class PortRoom {
  readonly #parts: PortRoomParts;
  /** When each connection was first seen. */
  #since: ReadonlyMap<string, Millis> = new Map();
  readonly #crowded = new Map<number, CrowdedPort>();
  /** By port and prefix; oldest first. */
  readonly #refused = new Map<string, Readonly<{ prefix: Prefix; port: number; at: Millis }>>();

  constructor(parts: PortRoomParts) {
    this.#parts = parts;
  }

  async plan(open: readonly Connection[]): Promise<RoomPlan> {
    const { kernel, clock, rules } = this.#parts;
    const now = clock.now();
    this.#since = new Map(
      open.map((one) => {
        const key = connectionName(one);
        return [key, instant(Math.min(now, this.#since.get(key) ?? now))];
      }),
    );
    const asked = rules();
    const crowded = crowdedPorts(open, asked.places);
    const silences = crowded.size === 0 ? NONE : await kernel.silences([...crowded.keys()]);
    const standing = (one: Connection): Standing => this.#standing(one, silences, now);
    const crowds = [...crowded].map(([port, there]) => planRoom(port, there, standing, asked));
    this.#report(crowds, now);
    const end = crowds.flatMap(({ cut }) => cut);
    return { isCrowded: crowds.length > 0, end, refused: this.#stillRefused(crowds, asked, now) };
  }

  #stillRefused(crowds: readonly Crowd[], { isKnown }: CrowdRules, now: Millis): ConnectionPlan["refused"] {
    for (const [key, { at }] of this.#refused) if (Math.abs(now - at) >= REFUSED_MS) this.#refused.delete(key);
    for (const { port, refused } of crowds)
      for (const prefix of refused) this.#refused.set(`${port} ${prefix}`, { prefix, port, at: now });
    // An account may have signed in from there since, on a different port.
    return [...this.#refused.values()]
      .filter(({ prefix }) => !isKnown(prefix))
      .map(({ prefix, port }) => ({ prefix, port }));
  }

  #standing(one: Connection, silences: ReadonlyMap<string, number>, now: Millis): Standing {
    const key = connectionName(one);
    const progress = this.#parts.progress.of(key, now);
    const since = Math.max(this.#since.get(key) ?? now, progress?.at ?? 0);
    return {
      stalledMs: now - since,
      silentMs: silences.get(key) ?? 0,
      isTransferring: progress?.isTransferring ?? false,
    };
  }

  #report(crowds: readonly Crowd[], now: Millis): void {
    const { notices } = this.#parts;
    for (const { port, taken, places, cut, worst } of crowds) {
      const ended = cut.length + (this.#crowded.get(port)?.ended ?? 0);
      this.#crowded.set(port, { at: now, taken, places, ended, worst: worst ?? this.#crowded.get(port)?.worst ?? "" });
    }
    for (const [port, { at }] of this.#crowded) if (Math.abs(now - at) >= NOTICE_FOR_MS) this.#crowded.delete(port);
    if (this.#crowded.size > 0) notices.raise("ports_crowded", [...this.#crowded].map(detailOf).join("; "));
    else notices.clear("ports_crowded");
  }
}

const NONE: ReadonlyMap<string, number> = new Map();

function detailOf([port, { taken, places, ended, worst }]: readonly [number, CrowdedPort]): string {
  const most = worst === "" ? "" : `, the most by ${worst}`;
  return `port ${port}: ${plural(taken, "connection")} for ${plural(places, "place")}${most}; ${ended} ended`;
}
