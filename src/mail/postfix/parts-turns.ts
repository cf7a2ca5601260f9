import { BoundedMap } from "../../core/bounded-map.ts";
import { later, MINUTE_MS, type Millis } from "../../core/time.ts";

/** Longer than a mail server's retry interval. */
const REST_MS = 15 * MINUTE_MS;
const MOST_RESTING = 1_024;

/** `source`: the account, or the network of a stranger. */
type Turn = Readonly<{ queueId: string; source: string }>;

/**
 * Rspamd reads mails that may hide parts (`MimeParts.mayHideParts`) one at a time, because the milter cannot tell what they cost.
 * A source during whose turn another one was deferred rests for `REST_MS`.
 */
export class PartsTurns {
  /** The latest turn; it lasts while Rspamd reads its mail. */
  #turn: Turn | null = null;
  /** Sources that had their turn while another source was deferred, and when each may have its next turn. */
  readonly #resting = new BoundedMap<string, Millis>(MOST_RESTING);
  readonly #isBeingRead: (queueId: string) => boolean;

  /** `isBeingRead`: Postfix has asked about this mail, and Rspamd is not done with it. */
  constructor(isBeingRead: (queueId: string) => boolean) {
    this.#isBeingRead = isBeingRead;
  }

  /** Whether this mail may be read now, which starts its turn. */
  take(turn: Turn, now: Millis): boolean {
    const restsMs = (this.#resting.get(turn.source) ?? now) - now;
    // No source rests for longer, even if the clock was set back. A resting source can't make another source rest.
    if (restsMs > 0 && restsMs <= REST_MS) return false;
    const current = this.#turn;
    if (current !== null && this.#isBeingRead(current.queueId)) {
      if (current.source !== turn.source) this.#resting.set(current.source, later(now, REST_MS));
      return false;
    }
    this.#turn = turn;
    return true;
  }
}
