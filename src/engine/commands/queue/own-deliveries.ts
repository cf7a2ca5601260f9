import { domainOf } from "../../../core/net/address.ts";
import { type KeeperReply, MAILS_LISTED } from "../../../wire/control/keeper.ts";
import type { Keeper } from "../../admin-ports.ts";
import type { Log } from "../../ports.ts";

export type OwnDeliveriesParts = Readonly<{
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
export class OwnDeliveries {
  readonly #parts: OwnDeliveriesParts;
  /** The run of Dovecot that the last check found ready, and the one for which all mail was retried. */
  #ready: string | null = null;
  #tried: string | null = null;

  constructor(parts: OwnDeliveriesParts) {
    this.#parts = parts;
  }

  /** Dovecot may have reloaded its settings, and refused mail for a moment. */
  reloaded(): void {
    this.#tried = null;
  }

  /**
   * Call it every few seconds. `ready` names the run of Dovecot that can deliver; null if none can. Starts at the second check in a row
   * that finds it ready. Never rejects.
   */
  async look(ready: string | null): Promise<void> {
    const isSteady = ready !== null && ready === this.#ready;
    this.#ready = ready;
    if (ready === null) this.#tried = null;
    if (!isSteady || ready === this.#tried) return;
    this.#tried = ready;
    const failure = await this.#tryAll();
    if (failure === null) return;
    this.#tried = null;
    this.#parts.log.warn("Mail for mailboxes here was not tried again at once.", { why: failure });
  }

  /** Returns null, or the reason of a failure. */
  async #tryAll(): Promise<string | null> {
    const { keeper, domains } = this.#parts;
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
}
