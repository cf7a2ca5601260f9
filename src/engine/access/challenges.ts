import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { MINUTE_MS } from "../../core/time.ts";
import type { Clock } from "../ports.ts";

/** How long a challenge may be answered: a person looks for a key and touches it. */
export const CHALLENGE_MS = 2 * MINUTE_MS;
const RANDOM_BYTES = 32;
const TIME_BYTES = 8;
const MAC_BYTES = 32;
const BYTES = RANDOM_BYTES + TIME_BYTES + MAC_BYTES;
/** Spent within their time. Only the owner's keys spend any. */
const MOST_SPENT = 256;

/**
 * Challenges that authenticators sign: random, for one purpose, for two minutes, for one use. Strangers may ask for any number,
 * so none is remembered when it is made: a MAC tells that it is ours, and no flood of them can push out the owner's. Those
 * that a valid signature has used are remembered until their time is over. A restart makes all invalid.
 */
export class Challenges {
  readonly #clock: Clock;
  readonly #key = randomBytes(MAC_BYTES);
  /** Until when each would be valid. */
  readonly #spent = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `purpose`: what its answer does; for a passkey that is made also in which session. */
  make(purpose: string): string {
    const begun = Buffer.alloc(RANDOM_BYTES + TIME_BYTES);
    randomBytes(RANDOM_BYTES).copy(begun);
    begun.writeBigUInt64BE(BigInt(this.#clock.now()), RANDOM_BYTES);
    return Buffer.concat([begun, this.#mac(begun, purpose)]).toString("base64url");
  }

  /** Whether it was made for this, its time is not over, and it was not used. */
  isOpen(challenge: string, purpose: string): boolean {
    const bytes = Buffer.from(challenge, "base64url");
    if (bytes.length !== BYTES || bytes.toString("base64url") !== challenge) return false;
    const begun = bytes.subarray(0, RANDOM_BYTES + TIME_BYTES);
    if (!timingSafeEqual(bytes.subarray(begun.length), this.#mac(begun, purpose))) return false;
    const now = this.#clock.now();
    for (const [one, until] of this.#spent) if (now >= until) this.#spent.delete(one);
    const age = now - Number(begun.readBigUInt64BE(RANDOM_BYTES));
    return age >= 0 && age < CHALLENGE_MS && !this.#spent.has(challenge) && this.#spent.size < MOST_SPENT;
  }

  /** A valid signature has used it. */
  spend(challenge: string): void {
    this.#spent.set(challenge, this.#clock.now() + CHALLENGE_MS);
  }

  #mac(begun: Buffer, purpose: string): Buffer {
    return createHmac("sha256", this.#key).update(begun).update(purpose).digest();
  }
}
