import { messageOf } from "../../../core/error.ts";
import type { AccountName } from "../../../core/net/address.ts";
import { HOUR_MS, MINUTE_MS, type Millis } from "../../../core/time.ts";
import type { AccountDirectory, Log } from "../../ports.ts";
import { forgetGone, type HeldQueueParts, holdQueued, ROUNDS } from "./held-queue.ts";

export type QueueUpkeepParts = HeldQueueParts & Readonly<{ active: AccountDirectory; log: Log }>;

const RECONCILED_EVERY_MS = HOUR_MS;
const AGAIN_MS = MINUTE_MS;

/**
 * Holds the queued mail of accounts that were suspended together, until all is held; and once an hour removes notes of mail that
 * root has removed from the queue. Keeps its pending work only in memory.
 */
export class QueueUpkeep {
  readonly #parts: QueueUpkeepParts;
  readonly #waiting = new Set<AccountName>();
  #working = false;
  #triedAt = Number.NEGATIVE_INFINITY;
  #reconciledAt: Millis | null = null;
  /** Where the last reconciliation ended: it reads 20,000 mails at a time. */
  #position = "";

  constructor(parts: QueueUpkeepParts) {
    this.#parts = parts;
  }

  /** Starts at once, and retries each minute. */
  holdSoon(account: AccountName): void {
    this.#waiting.add(account);
    this.#triedAt = Number.NEGATIVE_INFINITY;
    void this.round();
  }

  /** Call it about every second. Never rejects. */
  async round(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      await this.#hold();
      await this.#reconcile();
    } catch (error) {
      this.#parts.log.error("The mail queue could not be looked after; it is tried again.", { why: messageOf(error) });
    }
    this.#working = false;
  }

  async #hold(): Promise<void> {
    const { clock, active, log } = this.#parts;
    if (Math.abs(clock.now() - this.#triedAt) < AGAIN_MS) return;
    // Iterating over a set also visits entries that are added during it.
    for (const account of this.#waiting) {
      const outcome = active.isActive(account) ? null : await holdQueued(this.#parts, account);
      if (outcome === null || outcome.ok) {
        this.#waiting.delete(account);
        continue;
      }
      this.#triedAt = clock.now();
      log.warn("Mail of a suspended account in the queue is still being sent; the guard retries.", {
        account,
        why: outcome.reason,
      });
      return;
    }
  }

  async #reconcile(): Promise<void> {
    const now = this.#parts.clock.now();
    this.#reconciledAt ??= now;
    if (Math.abs(now - this.#reconciledAt) < RECONCILED_EVERY_MS) return;
    this.#reconciledAt = now;
    for (let round = 0; round < ROUNDS; round++) {
      const last = await forgetGone(this.#parts, this.#position);
      this.#position = last ?? "";
      if (last === null) return;
    }
  }
}
