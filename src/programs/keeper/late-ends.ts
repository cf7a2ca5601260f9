import * as z from "zod/mini";
import { failureOf, messageOf, reportOnce } from "../../core/error.ts";
import { type Millis, SECOND_MS } from "../../core/time.ts";
import type { Clock } from "../../guard/ports.ts";
import { writeFile } from "../../host/root-files/files.ts";
import { readRecord } from "../../host/root-files/record-file.ts";

/**
 * When the sessions of an account are ended again: if Dovecot was still verifying the former password of a sign-in, its session opens only
 * afterwards. A thief who signs in all the time would otherwise stay in, for as long as the session is open.
 */
const LATE_SIGN_INS_MS = [15 * SECOND_MS, 180 * SECOND_MS];

/** The accounts whose sessions `end` has to end again. `file` names them, so that a restarted keeper does so too. */
export function createLateEnds(file: string, clock: Clock, end: (accounts: ReadonlySet<string>) => Promise<void>) {
  const waiting = new Map<string, Readonly<{ since: Millis; ends: number }>>();
  const report = reportOnce((failure) => console.error(`keeper: IMAP sessions may still be open: ${failure}`));
  for (const account of readRecord(file, z.array(z.string()), []))
    waiting.set(account, { since: clock.now(), ends: 0 });

  function add(account: string): void {
    waiting.set(account.toLowerCase(), { since: clock.now(), ends: 0 });
    note();
  }

  /** Call it about every second. If they cannot be ended, it logs the reason once, and the next call retries. */
  async function look(): Promise<void> {
    const now = clock.now();
    const due = [...waiting].filter(([, { since, ends }]) => Math.abs(now - since) >= (LATE_SIGN_INS_MS[ends] ?? 0));
    if (due.length === 0) return;
    const failure = await end(new Set(due.map(([account]) => account))).then(() => null, messageOf);
    report(failure);
    if (failure !== null) return;
    for (const [account, waited] of due) {
      // Its password may have changed again since.
      if (waiting.get(account) !== waited) continue;
      const next = { ...waited, ends: waited.ends + 1 };
      if (next.ends < LATE_SIGN_INS_MS.length) waiting.set(account, next);
      else waiting.delete(account);
    }
    note();
  }

  function note(): void {
    const accounts = JSON.stringify([...waiting.keys()]);
    const why = failureOf(() => writeFile(file, accounts, { mode: 0o600, flush: false }));
    // A full disk must not keep the sessions open.
    if (why !== null) console.error(`keeper: could not record whose sessions must be ended again: ${why}`);
  }

  return { add, look };
}
