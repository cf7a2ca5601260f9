import type { CommandError, Reply, Verb } from "../../wire/control/control.ts";
import type { Share } from "./held-queue.ts";
import { isOnQueue, isTriedOnQueue } from "./queue-verbs.ts";
import type { WebBounds } from "./web-bounds.ts";

/** 1,000 mails: the web's caller waits 15 s at most. */
const WEB_ROUNDS = 2;
const MOST_WAITING = 16;

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

type Bounds = Pick<WebBounds, "deletes" | "releases" | "left">;

/** What the web's commands on the queue may do: one after the other, some mails at a time. */
export class QueueShares {
  readonly #bounds: Bounds;
  readonly #share: Share;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    const releases = (mails: number): number => bounds.releases(mails);
    this.#share = { rounds: WEB_ROUNDS, deletes: (mails) => bounds.deletes(mails), releases };
  }

  /** The same for a dry run, which uses up nothing of it. */
  trialInTurn(verb: Verb, run: (share: Share) => Promise<Reply> | Reply): Promise<Reply> | Reply {
    const share = trialOf(this.#bounds.left());
    return isTriedOnQueue(verb) ? this.#inTurn(() => run(share)) : run(share);
  }

  /** Commands on other things do not wait. */
  inTurn(verb: Verb, run: (share: Share) => Promise<Reply> | Reply): Promise<Reply> | Reply {
    return isOnQueue(verb) ? this.#inTurn(() => run(this.#share)) : run(this.#share);
  }

  #inTurn(run: () => Promise<Reply> | Reply): Promise<Reply> | Reply {
    if (this.#waiting >= MOST_WAITING) return BUSY;
    this.#waiting += 1;
    const done = this.#last.then(run).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}

function trialOf({ deletes, releases }: ReturnType<Bounds["left"]>): Share {
  return { rounds: WEB_ROUNDS, deletes: someOf(deletes), releases: someOf(releases) };
}

function someOf(most: number): (mails: number) => number {
  let left = most;
  return (mails) => {
    const some = Math.min(mails, left);
    left -= some;
    return some;
  };
}
