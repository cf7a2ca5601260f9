import { type KeeperReply, MAILS_LISTED } from "../../../admin/declare/keeper.ts";
import { messageOf } from "../../../core/error.ts";
import { type AccountName, domainOf } from "../../../core/net/address.ts";
import { unlessRunning } from "../../../core/one-after-another.ts";
import { HOUR_MS, MINUTE_MS, type Millis, SECOND_MS } from "../../../core/time.ts";
import type { Keeper } from "../../admin-ports.ts";
import type { Log } from "../../ports.ts";
import { forgetGone, HELD_ROUNDS, type HeldQueueParts, holdQueued } from "./held-queue.ts";

type QueueUpkeepParts = HeldQueueParts & Readonly<{ log: Log }>;

const RECONCILED_EVERY_MS = HOUR_MS;
const AGAIN_MS = MINUTE_MS;
/**
 * How long after a suspension the account's mail is searched for. Mail that milters were still reading enters the queue later, at most
 * after the sum of their timeouts (mail/postfix/milters.ts).
 */
const SEARCHES_MS = [0, 30 * SECOND_MS, 310 * SECOND_MS];

type Search = Readonly<{
  since: Millis;
  /** How many searches were done. */
  done: number;
  /** The mail on hold after these searches, which the owner may have released since. */
  known: ReadonlySet<string>;
}>;

/**
 * Holds the queued mail of suspended accounts, and once an hour removes notes of mail that root has removed from the queue. Keeps its
 * pending work only in memory.
 */
export class QueueUpkeep {
  readonly #parts: QueueUpkeepParts;
  readonly #searches = new Map<AccountName, Search>();
  #triedAt = Number.NEGATIVE_INFINITY;
  #reconciledAt: Millis | null = null;
  /** Where the last reconciliation stopped, because it reads only 20,000 mails at a time. */
  #position = "";

  constructor(parts: QueueUpkeepParts) {
    this.#parts = parts;
  }

  /** Call it after the mails with these ids were held. Searches later for the rest, such as mail that milters were still reading. */
  holdLate(account: AccountName, ids: readonly string[]): void {
    this.#searches.set(account, { since: this.#parts.clock.now(), done: 1, known: new Set(ids) });
  }

  /** Holds mail that is in the queue, or that enters it late. Starts at once, and retries each minute. */
  holdSoon(account: AccountName): void {
    this.#searches.set(account, { since: this.#parts.clock.now(), done: 0, known: new Set() });
    this.#triedAt = Number.NEGATIVE_INFINITY;
    void this.round();
  }

  /** Call it about every second. Never rejects. */
  readonly round = unlessRunning(async () => {
    try {
      await this.#hold();
      await this.#reconcile();
    } catch (error) {
      this.#parts.log.error("Upkeep of the mail queue failed; the guard retries.", { why: messageOf(error) });
    }
  });

  async #hold(): Promise<void> {
    const { clock, active, log } = this.#parts;
    if (Math.abs(clock.now() - this.#triedAt) < AGAIN_MS) return;
    // Iterating over a map also visits entries that are added during it.
    for (const [account, search] of this.#searches) {
      if (Math.abs(clock.now() - search.since) < (SEARCHES_MS[search.done] ?? 0)) continue;
      if (active.isActive(account)) {
        this.#searches.delete(account);
        continue;
      }
      const outcome = await this.#search(account, search);
      if (outcome.ok || active.isActive(account)) continue;
      this.#triedAt = clock.now();
      log.warn("Queued mail of a suspended account may still be sent; the guard retries.", {
        account,
        why: outcome.reason,
      });
      return;
    }
  }

  async #search(account: AccountName, search: Search): ReturnType<typeof holdQueued> {
    const outcome = await holdQueued(this.#parts, account, search.known);
    // The account may have been suspended again since.
    if (this.#searches.get(account) !== search) return outcome;
    // Behind the others, so that an account whose mail cannot be held does not delay them.
    this.#searches.delete(account);
    const known = new Set([...search.known, ...(outcome.ok ? outcome.all : [])]);
    const done = search.done + (outcome.ok ? 1 : 0);
    if (done < SEARCHES_MS.length) this.#searches.set(account, { ...search, done, known });
    return outcome;
  }

  async #reconcile(): Promise<void> {
    const now = this.#parts.clock.now();
    this.#reconciledAt ??= now;
    if (Math.abs(now - this.#reconciledAt) < RECONCILED_EVERY_MS) return;
    this.#reconciledAt = now;
    for (let round = 0; round < HELD_ROUNDS; round++) {
      const last = await forgetGone(this.#parts, this.#position);
      this.#position = last ?? "";
      if (last === null) return;
    }
  }
}

type OwnDeliveriesParts = Readonly<{
  keeper: Keeper;
  /** The domains whose mailboxes are here. */
  domains: () => readonly string[];
  log: Log;
}>;

/** Pages of 500 mails each. The rest waits for Postfix's next retry. */
const MOST_PAGES = 20;

/**
 * Retries mail for local mailboxes that could not be delivered, because Dovecot was down or the disk was full, once
 * it can be delivered. Postfix itself would wait for minutes, and finally for more than an hour (minimal_backoff_time). Does not
 * touch mail to other servers.
 */
export function createOwnDeliveries(parts: OwnDeliveriesParts) {
  /** The run of Dovecot that the last check found ready, and the one for which all mail was retried. */
  let before: string | null = null;
  let tried: string | null = null;
  return {
    /** Call it if Dovecot may have reloaded its settings, and refused mail for a moment. */
    reloaded: (): void => {
      tried = null;
    },

    /**
     * Call it every few seconds. `ready` names the run of Dovecot that can deliver; null if none can. Starts at the second check in a row
     * that finds it ready. Never rejects.
     */
    look: async (ready: string | null): Promise<void> => {
      const isSteady = ready !== null && ready === before;
      before = ready;
      if (ready === null) tried = null;
      if (!isSteady || ready === tried) return;
      tried = ready;
      const failure = await retryAll(parts);
      if (failure === null) return;
      tried = null;
      parts.log.warn("Mail for local mailboxes could not be retried right away.", { why: failure });
    },
  };
}

/** Returns null, or the reason of a failure. */
async function retryAll({ keeper, domains }: OwnDeliveriesParts): Promise<string | null> {
  const own = domains();
  let after: Readonly<{ at: number; id: string }> | null = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const listed: KeeperReply = await keeper.ask({
      verb: "list_mail",
      ids: [],
      senders: [],
      recipient: null,
      where: "deferred",
      after,
      limit: MAILS_LISTED,
    });
    if (!listed.ok) return listed.reason;
    const mails = listed.queue ?? [];
    const ids = mails
      .filter(({ recipients }) => recipients.some(({ address }) => own.includes(domainOf(address).toLowerCase())))
      .map(({ id }) => id);
    const flushed = ids.length === 0 ? null : await keeper.ask({ verb: "flush_mail", ids });
    if (flushed?.ok === false) return flushed.reason;
    const last = mails.at(-1);
    if (last === undefined || mails.length < MAILS_LISTED) return null;
    after = { at: last.at, id: last.id };
  }
  return null;
}
