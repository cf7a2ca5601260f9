import { MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";

/** The result of a list's test points. `silent`: an answer is missing. */
export type Probe = Readonly<{ type: "right"; ipv6: boolean }> | Readonly<{ type: "wrong" | "silent"; why: string }>;

/** This many missing answers among the last ones disable a list. */
const SILENT = { most: 3, among: 10 } as const;
/** A check without an answer is repeated this soon, until the list is disabled: at the start our own resolver may not be up yet. */
const FIRST_RETRY_MS = SECOND_MS;
/** Maximum time between checks of a disabled list, unless working ones are checked less often. */
const LONGEST_MS = 60 * MINUTE_MS;

/**
 * Whether a list can be trusted: from the time its test points were right until they are wrong, the list says that it does
 * not serve us, or too many answers are missing. Then it is checked again, each time after twice as long.
 */
export class ListHealth {
  readonly #everyMs: number;
  /** Null: not disabled. */
  #why: string | null = null;
  #trusted = false;
  #ipv6 = false;
  #disabledTimes = 0;
  #recent: boolean[] = [];
  #probeAt = 0;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Whether it may be asked about an address of this family. */
  serves(family: 4 | 6): boolean {
    return this.#trusted && (family === 4 || this.#ipv6);
  }

  /** Why it is disabled; null if it is not. */
  get why(): string | null {
    return this.#why;
  }

  isDue(now: Millis): boolean {
    return now >= this.#probeAt;
  }

  /** Call it when a check starts, so that no other does. */
  probing(now: Millis): void {
    this.#probeAt = now + this.#everyMs;
  }

  probed(probe: Probe, now: Millis): void {
    switch (probe.type) {
      case "right":
        this.#trusted = true;
        this.#ipv6 = probe.ipv6;
        this.#why = null;
        this.#disabledTimes = 0;
        this.#recent = [];
        this.#probeAt = now + this.#everyMs;
        return;
      case "wrong":
        this.disable(probe.why, now);
        return;
      case "silent":
        if (this.#why !== null) this.disable(probe.why, now);
        else this.answered(probe.why, now);
        if (this.#why === null) this.#probeAt = now + Math.min(FIRST_RETRY_MS, this.#everyMs);
    }
  }

  /** Call it for each answered question (null), or with the reason of a failure. */
  answered(missing: string | null, now: Millis): void {
    if (this.#why !== null) return;
    this.#recent.push(missing === null);
    if (this.#recent.length > SILENT.among) this.#recent.shift();
    if (missing !== null && this.#recent.filter((one) => !one).length >= SILENT.most) this.disable(missing, now);
  }

  /** Disables the list from now on. */
  disable(why: string, now: Millis): void {
    this.#trusted = false;
    this.#why = why;
    const waitMs = (this.#everyMs / 10) * 2 ** this.#disabledTimes;
    this.#probeAt = now + Math.min(waitMs, Math.max(LONGEST_MS, this.#everyMs));
    this.#disabledTimes += 1;
  }
}
