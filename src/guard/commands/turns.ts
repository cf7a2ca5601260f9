import type { CommandError, Reply, Verb } from "../../admin/declare/control.ts";
import type { Share } from "./queue/held-queue.ts";
import { failed } from "./refusals.ts";
import { isOnQueue, isTriedOnQueue, type WebBounds } from "./web/web-bounds.ts";

type Run<T extends Reply> = () => Promise<T> | T;

/** Runs commands one after the other; some wait, and more are refused. */
export class Turn {
  readonly #mostWaiting: number;
  readonly #busy: string;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** `busy`: the sentence for refused commands. */
  constructor(mostWaiting: number, busy: string) {
    this.#mostWaiting = mostWaiting;
    this.#busy = busy;
  }

  take<T extends Reply>(run: Run<T>): Promise<T> | CommandError {
    if (this.#waiting >= this.#mostWaiting) return failed(this.#busy, "Try again in a few seconds.");
    this.#waiting += 1;
    const done = this.#last.then(run).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** 1,000 mails: the web's caller waits at most 15 s. */
const WEB_ROUNDS = 2;
const MOST_WAITING = 16;

const BUSY = "The queue is being looked at for many others.";

/** Root is limited only by the time of a command. */
export const ROOTS_SHARE: Share = {
  rounds: Number.POSITIVE_INFINITY,
  deletes: (mails) => mails,
  releases: (mails) => mails,
};

type Bounds = Pick<WebBounds, "deletes" | "releases" | "left">;

/** Limits the web's commands on the queue: one after the other, and a bounded number of mails. */
export class QueueShares {
  readonly #bounds: Bounds;
  readonly #share: Share;
  readonly #queue = new Turn(MOST_WAITING, BUSY);

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    const releases = (mails: number): number => bounds.releases(mails);
    this.#share = { rounds: WEB_ROUNDS, deletes: (mails) => bounds.deletes(mails), releases };
  }

  /** The same for a dry run, which uses up nothing. */
  trialInTurn(verb: Verb, run: (share: Share) => Promise<Reply> | Reply): Promise<Reply> | Reply {
    const share = trialOf(this.#bounds.left());
    return isTriedOnQueue(verb) ? this.#queue.take(() => run(share)) : run(share);
  }

  /** Other commands do not wait. */
  inTurn(verb: Verb, run: (share: Share) => Promise<Reply> | Reply): Promise<Reply> | Reply {
    return isOnQueue(verb) ? this.#queue.take(() => run(this.#share)) : run(this.#share);
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
