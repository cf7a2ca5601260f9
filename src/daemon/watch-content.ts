import { join } from "node:path";
import { LogFollower } from "../adapters/log-follower.ts";
import { writeSpamPreferences } from "../adapters/spam-preferences.ts";
import { pingSpamd } from "../adapters/spamd-client.ts";
import type { Observation } from "../core/event.ts";
import { SECOND_MS } from "../core/time.ts";
import type { SpamPreferences } from "../engine/admin-ports.ts";
import type { Engine } from "../engine/engine.ts";
import type { Clock, Log, LogPositions, Notices } from "../engine/ports.ts";
import { SpamFilterWatch } from "../engine/spam-filter-watch.ts";
import { REFUSED_AS_SPAM } from "../render/content-services.ts";
import { renderSpamPreferences } from "../render/spam-preferences.ts";
import type { Layout } from "../settings/layout.ts";
import { readMilterReject } from "../wire/milter-log.ts";
import { SpamdLog } from "../wire/spamd-log.ts";

export type ContentWatchParts = Readonly<{
  layout: Layout;
  engine: Engine;
  positions: LogPositions;
  preferences: SpamPreferences;
  notices: Notices;
  clock: Clock;
  log: Log;
  /** Whether SpamAssassin runs. */
  spam: boolean;
}>;

const PING_MS = 3 * SECOND_MS;

/** The files in which spamd finds whom a recipient lets in; written only when they change. */
export class SpamPreferenceFiles implements SpamPreferences {
  readonly #directory: string;
  readonly #sendersOf: () => ReadonlyMap<string, readonly string[]>;
  #written = "";

  constructor(directory: string, sendersOf: () => ReadonlyMap<string, readonly string[]>) {
    this.#directory = directory;
    this.#sendersOf = sendersOf;
  }

  refresh(): void {
    const texts = new Map([...this.#sendersOf()].map(([who, senders]) => [who, renderSpamPreferences(senders)]));
    const all = JSON.stringify([...texts]);
    if (all === this.#written) return;
    writeSpamPreferences(this.#directory, texts);
    this.#written = all;
  }
}

/** What the milters say of mails becomes events, and a spam filter that is silent a notice. */
export class ContentWatch {
  readonly #followers: readonly LogFollower[];
  readonly #filter: SpamFilterWatch | null;
  readonly #parts: ContentWatchParts;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: ContentWatchParts) {
    this.#parts = parts;
    const { layout, engine, positions, notices, clock, log, spam } = parts;
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
    this.#timer = setInterval(() => this.#round(), SECOND_MS);
  }

  /** Accounts and aliases change by several ways; which of them did does not matter. */
  #round(): void {
    void this.#filter?.look();
    try {
      this.#parts.preferences.refresh();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#parts.log.warn("The lists of allowed senders could not be written; it is tried again.", { why });
    }
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await Promise.all(this.#followers.map((follower) => follower.stop()));
  }
}
