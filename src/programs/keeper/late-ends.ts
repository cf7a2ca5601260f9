import * as z from "zod/mini";
import { messageOf, reportOnce } from "../../core/error.ts";
import { type Millis, SECOND_MS } from "../../core/time.ts";
import type { Clock } from "../../guard/ports.ts";
import { writeFile } from "../../host/root-files/files.ts";
import { readRecord } from "../../host/root-files/record-file.ts";

type LateEndsParts = Readonly<{
  /** Names the accounts, so that a keeper that was restarted ends their sessions too. */
  file: string;
  clock: Clock;
  /** Ends the open sessions of these accounts. */
  end: (accounts: ReadonlySet<string>) => Promise<void>;
}>;

/**
 * When the sessions of an account are ended again: a sign-in whose former password Dovecot was verifying opens its session only
 * afterwards. A thief who signs in all the time would otherwise stay in, for as long as the session is open.
 */
const LATE_SIGN_INS_MS = [15 * SECOND_MS, 180 * SECOND_MS];

type Waiting = Readonly<{ since: Millis; ends: number }>;

/** The accounts whose sessions are to end again. */
export class LateEnds {
  readonly #parts: LateEndsParts;
  readonly #waiting = new Map<string, Waiting>();
  readonly #report = reportOnce((failure) => console.error(`keeper: IMAP sessions may still be open: ${failure}`));

  constructor(parts: LateEndsParts) {
    this.#parts = parts;
    const noted = readRecord(parts.file, z.array(z.string()), []);
    for (const account of noted) this.#waiting.set(account, { since: parts.clock.now(), ends: 0 });
  }

  add(account: string): void {
    this.#waiting.set(account.toLowerCase(), { since: this.#parts.clock.now(), ends: 0 });
    this.#note();
  }

  /** Call it about every second. If they cannot be ended, it logs the reason once, and the next call retries. */
  async look(): Promise<void> {
    const now = this.#parts.clock.now();
    const due = [...this.#waiting].filter(
      ([, { since, ends }]) => Math.abs(now - since) >= (LATE_SIGN_INS_MS[ends] ?? 0),
    );
    if (due.length === 0) return;
    const failure = await this.#parts.end(new Set(due.map(([account]) => account))).then(() => null, messageOf);
    this.#report(failure);
    if (failure !== null) return;
    for (const [account, waited] of due) {
      // Its password may have changed again since.
      if (this.#waiting.get(account) !== waited) continue;
      const next = { ...waited, ends: waited.ends + 1 };
      if (next.ends < LATE_SIGN_INS_MS.length) this.#waiting.set(account, next);
      else this.#waiting.delete(account);
    }
    this.#note();
  }

  #note(): void {
    try {
      writeFile(this.#parts.file, JSON.stringify([...this.#waiting.keys()]), { mode: 0o600, flush: false });
    } catch (error) {
      // A full disk must not keep the sessions open.
      console.error(`keeper: whose sessions are to end again could not be noted: ${messageOf(error)}`);
    }
  }
}
