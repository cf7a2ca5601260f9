import { join } from "node:path";
import { LogFollower } from "../adapters/log-follower.ts";
import { pingSpamd } from "../adapters/spamd-client.ts";
import type { Observation } from "../core/event.ts";
import { SECOND_MS } from "../core/time.ts";
import type { Engine } from "../engine/engine.ts";
import type { Clock, Log, LogPositions, Notices } from "../engine/ports.ts";
import { SpamFilterWatch } from "../engine/spam-filter-watch.ts";
import { REFUSED_AS_SPAM } from "../render/content-services.ts";
import type { Layout } from "../settings/layout.ts";
import { readMilterReject } from "../wire/milter-log.ts";
import { SpamdLog } from "../wire/spamd-log.ts";

export type ContentWatchParts = Readonly<{
  layout: Layout;
  engine: Engine;
  positions: LogPositions;
  notices: Notices;
  clock: Clock;
  log: Log;
  /** Whether SpamAssassin runs. */
  spam: boolean;
}>;

const PING_MS = 3 * SECOND_MS;

/** What the milters say of mails becomes events, and a spam filter that is silent a notice. */
export class ContentWatch {
  readonly #followers: readonly LogFollower[];
  readonly #filter: SpamFilterWatch | null;
  #timer: NodeJS.Timeout | null = null;

  constructor({ layout, engine, positions, notices, clock, log, spam }: ContentWatchParts) {
    const follow = (name: string, file: string, read: (line: string) => Observation | null): LogFollower =>
      new LogFollower({
        file,
        from: positions.positionOf(name),
        take: (lines, position) =>
          engine.observe(
            name,
            position,
            lines.map(read).filter((seen) => seen !== null),
          ),
        failed: (why) => log.warn("A log cannot be followed; it is tried again.", { log: file, why }),
      });
    const scores = new SpamdLog();
    this.#followers = [
      follow("mail", layout.mailLog, (line) => readMilterReject(line, REFUSED_AS_SPAM)),
      ...(spam ? [follow("spamd", join(layout.log, "spamd", "current"), (line) => scores.read(line))] : []),
    ];
    const ping = () => pingSpamd(layout.spamdSocket, PING_MS);
    this.#filter = spam ? new SpamFilterWatch({ ping, notices, clock }) : null;
  }

  start(): void {
    for (const follower of this.#followers) follower.start();
    this.#timer = setInterval(() => void this.#filter?.look(), SECOND_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await Promise.all(this.#followers.map((follower) => follower.stop()));
  }
}
