import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import type { QueueEntry } from "../../../admin/queue.ts";
import { plural } from "../../../core/text.ts";
import { MINUTE_MS, type Millis } from "../../../core/time.ts";
import type { Clock } from "../../../guard/ports.ts";
import { type RelayTrouble, relayTrouble, storeTrouble } from "../../../mail/postfix/relay-trouble.ts";
import type { Settings } from "../../../settings/schema.ts";

/** A relay that is unreachable or defers mail, and Dovecot, are reported only when mail has waited this long: they may be restarting. */
const AWAY_MS = 15 * MINUTE_MS;
/** By then Postfix has tried every mail again: its maximal_backoff_time is 4,000 s (postconf(5)). */
const ALL_TRIED_MS = 70 * MINUTE_MS;
/** The pause after a read, as a multiple of its time, because a long queue takes seconds to read, as does a short one on a busy machine. */
const REST_FACTOR = 10;
/** Longest pause between two reads, however long they take: a report waits no longer. */
const MOST_REST_MS = MINUTE_MS;

/**
 * Reports that mail waits because the relay accepts none, or Dovecot stores none. Only the queue shows this. `readQueue` returns
 * null, or why the queue cannot be read. `elapsedMs`: of a monotonic clock.
 */
export function createRelayWatch(
  clock: Clock,
  readQueue: (take: (entry: QueueEntry) => void) => Promise<string | null>,
  settings: Settings | null,
  elapsedMs = () => performance.now(),
) {
  let relay: string = settings?.["outbound.relay"] ?? "";
  let present: readonly KeeperTrouble[] = [];
  let notBeforeMs = 0;
  /** When the relay was set; null: before this program started. */
  let setAt: Millis | null = null;

  function use(inForce: Settings): void {
    if (inForce["outbound.relay"] !== relay) {
      setAt = clock.now();
      present = [];
    }
    relay = inForce["outbound.relay"];
    notBeforeMs = 0;
  }

  /** An unreadable queue reports nothing new. */
  async function look(): Promise<void> {
    const from = elapsedMs();
    if (from < notBeforeMs) return;
    const now = clock.now();
    const found: RelayTrouble[] = [];
    const unstored: string[] = [];
    const failure = await readQueue(({ at, queue, recipients }) => {
      const reasons = recipients.flatMap(({ reason }) => reason ?? []);
      const [store] = reasons.flatMap((reason) => storeTrouble(reason) ?? []);
      if (store !== undefined && queue !== "hold" && now - at >= AWAY_MS) unstored.push(store);
      if (relay === "") return;
      const fault = reasons
        .map((reason) => relayTrouble(reason, relay))
        .find((one) => one !== null && (one.heals ? now - at >= AWAY_MS : one.isNamed || isTriedHere(at, now)));
      if (fault !== null && fault !== undefined) found.push(fault);
    });
    const to = elapsedMs();
    notBeforeMs = to + (relay === "" ? MOST_REST_MS : Math.min((to - from) * REST_FACTOR, MOST_REST_MS));
    if (failure !== null) return;
    // Faults that need the owner come first.
    const worst = found.find((one) => !one.heals) ?? found[0];
    present = worst === undefined ? [] : [trouble(worst, found.length)];
    if (unstored[0] === undefined) return;
    const detail = `Dovecot cannot store ${plural(unstored.length, "mail")} (${unstored[0]})`;
    present = [...present, { code: "mail_unstored", detail }];
  }

  /** Whether a mail that arrived at that time was last tried at the present relay. */
  function isTriedHere(at: number, now: Millis): boolean {
    return setAt === null || at >= setAt || now - setAt >= ALL_TRIED_MS;
  }

  function trouble({ says }: RelayTrouble, waiting: number): KeeperTrouble {
    return {
      code: "relay_refuses",
      detail: `${relay.replaceAll(/[[\]]/g, "")}: ${says}; ${plural(waiting, "mail")} waiting`,
    };
  }

  return { use, look, troubles: () => present };
}
