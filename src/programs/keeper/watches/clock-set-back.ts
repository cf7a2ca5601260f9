import { messageOf } from "../../../core/error.ts";
import { SECOND_MS } from "../../../core/time.ts";
import type { Outcome } from "../../../guard/ports.ts";
import type { ServiceName } from "../../../host/running/runit.ts";

/** A smaller change is a correction that affects no program. */
const LEAST_MS = 30 * SECOND_MS;
const WAITING: readonly ServiceName[] = ["unbound", "dovecot", "postfix"];

type ClockSetBackParts = Readonly<{
  /** Milliseconds of the machine's clock, and of a monotonic one. */
  wall: () => number;
  elapsed: () => number;
  /** Null, or why it failed. */
  reload: (service: ServiceName) => Promise<string | null>;
  /** Retries every deferred mail. */
  flush: () => Promise<Outcome>;
  say: (what: string) => void;
}>;

/**
 * Fixes timers that still wait for the old time after the machine's clock was set back. Postfix retries deferred mail by timers of the
 * wall clock, and not before a time that it stores with the mail (qmgr(8)). Unbound keeps names, including those that failed their
 * check, up to a wall-clock time, and Dovecot's auth process does not ask the guard again before such a time after a failure.
 */
export function createClockSetBack({ wall, elapsed, reload, flush, say }: ClockSetBackParts) {
  let offsetMs = wall() - elapsed();
  let working: Promise<void> = Promise.resolve();

  async function fix(backMs: number): Promise<void> {
    const failed: (string | null)[] = [];
    for (const service of WAITING) failed.push(await reload(service).catch(messageOf));
    const flushed = await flush().catch((error: unknown) => ({ ok: false as const, reason: messageOf(error) }));
    const why = [...failed, flushed.ok ? null : flushed.reason].filter((one) => one !== null);
    const done = why.length === 0 ? "every deferred mail is being retried" : why.join("; ");
    say(`the machine's clock was set back by ${Math.round(backMs / SECOND_MS)} s: ${done}.`);
  }

  /** Call it about every second. Resolves once everything is fixed. Never rejects. */
  return (): Promise<void> => {
    const before = offsetMs;
    offsetMs = wall() - elapsed();
    const backMs = before - offsetMs;
    if (backMs >= LEAST_MS) working = working.then(() => fix(backMs));
    return working;
  };
}
