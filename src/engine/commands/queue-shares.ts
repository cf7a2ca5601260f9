import type { CommandError, Reply, Verb } from "../../wire/control/control.ts";
import type { Share } from "./held-queue.ts";
import type { WebBounds } from "./web-bounds.ts";

/** 1,000 mails: the web's caller waits 15 s at most. */
const WEB_ROUNDS = 2;
const MOST_WAITING = 16;
/** These read Postfix's queue, which may be long. */
const OF_QUEUE = /^(queue|held)_/;

const BUSY: CommandError = {
  ok: false,
  kind: "failed",
  message: "The queue is being looked at for many others.",
  next: "Try again in a few seconds.",
};

/** Root is bound by the time of a command alone. */
export const ROOTS_SHARE: Share = {
  rounds: Number.POSITIVE_INFINITY,
  deletes: (mails) => mails,
  releases: (mails) => mails,
};

/** What the web's commands on the queue may do: one after the other, some mails at a time. */
export class QueueShares {
  readonly #share: Share;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(bounds: Pick<WebBounds, "deletes" | "releases">) {
    const releases = (mails: number): number => bounds.releases(mails);
    this.#share = { rounds: WEB_ROUNDS, deletes: (mails) => bounds.deletes(mails), releases };
  }

  /** Commands on other things do not wait. */
  inTurn(verb: Verb, run: (share: Share) => Promise<Reply> | Reply): Promise<Reply> | Reply {
    if (!OF_QUEUE.test(verb)) return run(this.#share);
    if (this.#waiting >= MOST_WAITING) return BUSY;
    this.#waiting += 1;
    const done = this.#last
      .then(() => run(this.#share))
      .finally(() => {
        this.#waiting -= 1;
      });
    this.#last = done.catch(() => undefined);
    return done;
  }
}
