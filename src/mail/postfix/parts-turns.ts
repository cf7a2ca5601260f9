import { BoundedMap } from "../../core/bounded-map.ts";
import { later, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";

/** After this time Rspamd has read a mail, or ended the process that it blocked (`STALL_SECONDS`), even if no log line shows that. */
const TURN_MS = 30 * SECOND_MS;
/** Maximum total time of a network's turns in its window, once they have kept another network out, or blocked or ended Rspamd. */
const MOST_OF_NETWORK_MS = 5 * SECOND_MS;
/** How long mails with a turn may block Rspamd at once, however many networks they come from. In the long run it is a tenth of the time. */
const MOST_BLOCKED_MS = 30 * SECOND_MS;
const FREE_TIMES = 10;
/** Longer than a mail server's retry interval. */
export const WINDOW_MS = 15 * MINUTE_MS;
const MOST_NETWORKS = 1_024;

/** How long mails have recently blocked Rspamd, or kept it from reading by ending it. */
export class BlockedTime {
  #ms = 0;
  #at: Millis | null = null;

  add(ms: number, now: Millis): void {
    this.#ms = Math.min(this.#remainingMs(now) + ms, 2 * MOST_BLOCKED_MS);
    this.#at = now;
  }

  isTooLong(now: Millis): boolean {
    return this.#remainingMs(now) >= MOST_BLOCKED_MS;
  }

  #remainingMs(now: Millis): number {
    return this.#at === null ? 0 : Math.max(0, this.#ms - Math.abs(now - this.#at) / FREE_TIMES);
  }
}

/** The turns of a network in the window that starts at `since`. */
type Use = { since: Millis; ms: number; didHarm: boolean };
type Turn = Readonly<{ queueId: string; network: string; since: Millis }>;

/**
 * Rspamd reads strangers' mails that may hide parts (`MimeParts.mayHideParts`) one at a time, because the milter cannot tell what they
 * cost: encoded messages may hold anything. Only Rspamd's main process limits that, by ending a process that a mail blocks. A network (as
 * allocated to a site: IPv6 /32, IPv4 /24) that has used up its time while another one was deferred, or that blocked or ended Rspamd,
 * waits for the end of its window. All mails of strangers who are suspects take turns in the same way (`FilterLoad.isSuspect`).
 */
export class PartsTurns {
  #turn: Turn | null = null;
  readonly #uses = new BoundedMap<string, Use>(MOST_NETWORKS);
  readonly #blocked = new BlockedTime();

  /** The queue id of the mail that has its turn. */
  get holder(): string | null {
    return this.#turn?.queueId ?? null;
  }

  /** Whether this mail from a network may be read now, which starts its turn. */
  take(queueId: string, network: string, now: Millis): boolean {
    if (this.#turn !== null && now - this.#turn.since >= TURN_MS) this.end(this.#turn.queueId, now);
    if (this.#blocked.isTooLong(now) || this.#mustWait(network, now)) return false;
    if (this.#turn !== null) {
      if (this.#turn.network !== network) this.#noteHarm(this.#turn.network, now);
      return false;
    }
    this.#turn = { queueId, network, since: now };
    return true;
  }

  /** Called once Rspamd is done with this mail, or ended while it read it. */
  end(queueId: string, now: Millis, hasFailed = false): void {
    if (this.#turn?.queueId !== queueId) return;
    const { network, since } = this.#turn;
    if (hasFailed) this.blocked(MOST_OF_NETWORK_MS, now);
    this.#turn = null;
    const ms = Math.min(Math.max(now - since, 0), TURN_MS);
    this.#useOf(network, now).ms += hasFailed ? Math.max(ms, MOST_OF_NETWORK_MS) : ms;
  }

  /** Rspamd answered no one for this long, until `at`. */
  blocked(ms: number, now: Millis, at = now): void {
    if (this.#turn === null || at < this.#turn.since) return;
    this.#noteHarm(this.#turn.network, now);
    this.#blocked.add(ms, now);
  }

  /** Starts the network's window again. */
  #noteHarm(network: string, now: Millis): void {
    const { ms, didHarm } = this.#useOf(network, now);
    if (!didHarm) this.#uses.set(network, { since: now, ms, didHarm: true });
  }

  #mustWait(network: string, now: Millis): boolean {
    const { ms, didHarm } = this.#useOf(network, now);
    return didHarm && ms >= MOST_OF_NETWORK_MS;
  }

  /** No network waits longer than its window, even if the clock was set back. */
  #useOf(network: string, now: Millis): Use {
    const known = this.#uses.get(network);
    if (known !== undefined && now >= known.since && now < later(known.since, WINDOW_MS)) return known;
    const use = { since: now, ms: 0, didHarm: false };
    this.#uses.set(network, use);
    return use;
  }
}
