import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { MINUTE_MS } from "../../core/time.ts";
import type { Clock } from "../ports.ts";

/** How long a challenge may be answered: a person fetches a key and touches it. */
export const CHALLENGE_MS = 2 * MINUTE_MS;
const RANDOM_BYTES = 32;
const TIME_BYTES = 8;
const MAC_BYTES = 32;
const BYTES = RANDOM_BYTES + TIME_BYTES + MAC_BYTES;
/** Maximum used challenges that have not expired. Only the owner's keys use any. */
const MOST_SPENT = 256;

/**
 * Challenges that authenticators sign: random, for one purpose, valid for two minutes and one use. Strangers may request any number,
 * so new ones are not stored: a MAC proves that the guard made them, and no flood of them can displace the owner's. Challenges
 * that a valid signature has used are stored until they expire. A restart makes all invalid.
 */
export class Challenges {
  readonly #clock: Clock;
  readonly #key = randomBytes(MAC_BYTES);
  /** Until when each would be valid. */
  readonly #spent = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `purpose`: what its answer does; for a new passkey also the session. */
  make(purpose: string): string {
    const head = Buffer.alloc(RANDOM_BYTES + TIME_BYTES);
    randomBytes(RANDOM_BYTES).copy(head);
    head.writeBigUInt64BE(BigInt(this.#clock.now()), RANDOM_BYTES);
    return Buffer.concat([head, this.#mac(head, purpose)]).toString("base64url");
  }

  /** Whether it was made for this purpose, has not expired, and was not used. */
  isOpen(challenge: string, purpose: string): boolean {
    const bytes = Buffer.from(challenge, "base64url");
    if (bytes.length !== BYTES || bytes.toString("base64url") !== challenge) return false;
    const head = bytes.subarray(0, RANDOM_BYTES + TIME_BYTES);
    if (!timingSafeEqual(bytes.subarray(head.length), this.#mac(head, purpose))) return false;
    const now = this.#clock.now();
    for (const [one, until] of this.#spent) if (now >= until) this.#spent.delete(one);
    const age = now - Number(head.readBigUInt64BE(RANDOM_BYTES));
    return age >= 0 && age < CHALLENGE_MS && !this.#spent.has(challenge) && this.#spent.size < MOST_SPENT;
  }

  /** Marks it as used by a valid signature. */
  spend(challenge: string): void {
    this.#spent.set(challenge, this.#clock.now() + CHALLENGE_MS);
  }

  #mac(head: Buffer, purpose: string): Buffer {
    return createHmac("sha256", this.#key).update(head).update(purpose).digest();
  }
}
