import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import type { QueueEntry } from "../../../admin/queue.ts";
import { plural } from "../../../core/text.ts";
import { MINUTE_MS, type Millis } from "../../../core/time.ts";
import type { Clock } from "../../../guard/ports.ts";
import { type RelayTrouble, relayTrouble } from "../../../mail/postfix/relay-trouble.ts";
import type { Settings } from "../../../settings/schema.ts";

/** An unreachable relay, or one that defers mail, is reported only when mail has waited this long: it may be restarting. */
const AWAY_MS = 15 * MINUTE_MS;
/** By then Postfix has tried every mail again: its maximal_backoff_time is 4,000 s (postconf(5)). */
const ALL_TRIED_MS = 70 * MINUTE_MS;
/** A long queue takes seconds to read, as does a short one on a busy machine. Reading takes at most a tenth of the time. */
const REST_FACTOR = 10;
/** Longest pause between two reads, however long they take: a report waits no longer. */
const MOST_REST_MS = MINUTE_MS;

type RelayWatchParts = Readonly<{
  clock: Clock;
  /** Null, or why the queue cannot be read. */
  readQueue: (take: (entry: QueueEntry) => void) => Promise<string | null>;
  /** Milliseconds of a monotonic clock. */
  elapsedMs?: () => number;
}>;

/** Reports that mail waits because the relay accepts none: a wrong password, for example. Only the queue shows this. */
export class RelayWatch {
  readonly #parts: RelayWatchParts;
  #relay: string;
  #troubles: readonly KeeperTrouble[] = [];
  #notBeforeMs = 0;
  /** When the relay was set; null: before this program started. */
  #setAt: Millis | null = null;

  constructor(parts: RelayWatchParts, settings: Settings | null) {
    this.#parts = parts;
    this.#relay = settings?.["outbound.relay"] ?? "";
  }

  use(settings: Settings): void {
    if (settings["outbound.relay"] !== this.#relay) {
      this.#setAt = this.#parts.clock.now();
      this.#troubles = [];
    }
    this.#relay = settings["outbound.relay"];
    this.#notBeforeMs = 0;
  }

  troubles(): readonly KeeperTrouble[] {
    return this.#relay === "" ? [] : this.#troubles;
  }

  /** An unreadable queue reports nothing new. */
  async look(): Promise<void> {
    const { elapsedMs = () => performance.now(), clock, readQueue } = this.#parts;
    const from = elapsedMs();
    if (this.#relay === "" || from < this.#notBeforeMs) return;
    const now = clock.now();
    const found: RelayTrouble[] = [];
    const failure = await readQueue(({ at, recipients }) => {
      const fault = recipients
        .map(({ reason }) => (reason === null ? null : relayTrouble(reason, this.#relay)))
        .find((one) => one !== null && (one.heals ? now - at >= AWAY_MS : one.isNamed || this.#isTriedHere(at, now)));
      if (fault !== null && fault !== undefined) found.push(fault);
    });
    const to = elapsedMs();
    this.#notBeforeMs = to + Math.min((to - from) * REST_FACTOR, MOST_REST_MS);
    if (failure !== null) return;
    // Faults that need the owner come first.
    const worst = found.find((one) => !one.heals) ?? found[0];
    this.#troubles = worst === undefined ? [] : [this.#trouble(worst, found.length)];
  }

  /** Whether a mail that arrived at that time was last tried at the present relay. */
  #isTriedHere(at: number, now: Millis): boolean {
    return this.#setAt === null || at >= this.#setAt || now - this.#setAt >= ALL_TRIED_MS;
  }

  #trouble({ says }: RelayTrouble, waiting: number): KeeperTrouble {
    return {
      code: "relay_refuses",
      detail: `${this.#relay.replaceAll(/[[\]]/g, "")}: ${says}; ${plural(waiting, "mail")} waiting`,
    };
  }
}
