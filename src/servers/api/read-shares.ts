import { type Caller, identityOf } from "./access.ts";
import { API_LIMITS } from "./limits.ts";
import { LookupsBusy } from "./ports.ts";
import { Turns } from "./turns.ts";

const { readsOfOne, mailboxReadsOfOne, mailboxReads, mailboxReadWaitMs } = API_LIMITS;

/** `turns`: for the user of a mailbox. */
type Share = { count: number; readonly turns: Turns };

/** Limits the pending queries of each caller, so that a busy one leaves room for others. */
export class ReadShares {
  readonly #shares = new Map<string, Share>();
  readonly #mailboxes = new Turns(mailboxReads, mailboxReadWaitMs);

  /** Rejects with `LookupsBusy` if this reader has its share already. */
  async run<T>(reader: Caller, read: () => Promise<T>): Promise<T> {
    const name = identityOf(reader);
    const share = this.#shares.get(name) ?? { count: 0, turns: new Turns(mailboxReadsOfOne, mailboxReadWaitMs) };
    if (share.count >= readsOfOne) throw new LookupsBusy("too many of one reader wait");
    this.#shares.set(name, share);
    share.count += 1;
    try {
      return reader.account === null ? await read() : await this.#inTurn(share.turns, read);
    } finally {
      share.count -= 1;
      if (share.count === 0) this.#shares.delete(name);
    }
  }

  /** A page sends several requests at once, so they wait. First in the user's own queue, so that a busy user does not delay others. */
  async #inTurn<T>(own: Turns, read: () => Promise<T>): Promise<T> {
    const answered = await own.run(() => this.#mailboxes.run(async () => ({ value: await read() })));
    if (answered === "no_turn") throw new LookupsBusy("too many users of mailboxes read");
    return answered.value;
  }
}
