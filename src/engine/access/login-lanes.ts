/** The queue of an attempt: that of its network, or that of one of the owner's browsers. */
export type Lane = Readonly<{ name: string; reserved: boolean }>;

/**
 * One attempt at a time in each queue, so that none slips through between the guard's question and report. One more can
 * wait, so that a client that tries without pause cannot keep out another one in its network.
 */
export class LoginLanes {
  /** The running attempts, each with the one that waits. */
  readonly #served = new Map<string, (() => void) | null>();
  readonly #most: number;
  #strangers = 0;

  /** `most`: the maximum number of queues for strangers. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Resolves when it is the attempt's turn, with whether it may continue. If it may, it must call `leave`. */
  async enter({ name, reserved }: Lane): Promise<boolean> {
    const waiting = this.#served.get(name);
    if (waiting === undefined) {
      if (!reserved && this.#strangers >= this.#most) return false;
      if (!reserved) this.#strangers++;
      this.#served.set(name, null);
      return true;
    }
    if (waiting !== null) return false;
    await new Promise<void>((resolve) => this.#served.set(name, resolve));
    return true;
  }

  /** Passes the place to the waiting attempt, if there is one. */
  leave({ name, reserved }: Lane): void {
    const next = this.#served.get(name);
    if (next !== undefined && next !== null) {
      this.#served.set(name, null);
      next();
      return;
    }
    this.#served.delete(name);
    if (!reserved) this.#strangers--;
  }
}
