import type { CommandError, Reply, Verb } from "../../admin/declare/control.ts";
import type { Share } from "./queue/held-queue.ts";
import { failed } from "./refusals.ts";
import type { WebCaller } from "./web/command-gate.ts";
import { isDryRunOnQueue, isOnQueue, type WebBounds } from "./web/web-bounds.ts";

/** All sessions of one person count together. */
type Caller = Readonly<{ item: Pick<WebCaller["item"], "how" | "name"> }>;

type Run<T extends Reply> = () => Promise<T> | T;
type OfShare = (share: Share) => Promise<Reply> | Reply;

/** How many wait in all, and of one caller, so that others find a place. `busy`: the sentence for refused commands. */
type Places = Readonly<{ most: number; ofOne: number; busy: string }>;

/** Runs commands one after the other; some wait, and more are refused. */
export class Turn {
  readonly #places: Places;
  readonly #waiting = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(places: Places) {
    this.#places = places;
  }

  /** Never refuses root, whose caller is null. */
  take<T extends Reply>(caller: Caller | null, run: Run<T>): Promise<T> | CommandError {
    const who = caller === null ? ROOT : `${caller.item.how} ${caller.item.name}`;
    const { most, ofOne, busy } = this.#places;
    const all = [...this.#waiting.values()].reduce((sum, some) => sum + some, 0);
    if (caller !== null && (all >= most || this.#of(who) >= ofOne)) return failed(busy, "Try again in a few seconds.");
    this.#waiting.set(who, this.#of(who) + 1);
    const done = this.#last.then(run).finally(() => this.#leave(who));
    this.#last = done.catch(() => undefined);
    return done;
  }

  #of(who: string): number {
    return this.#waiting.get(who) ?? 0;
  }

  #leave(who: string): void {
    const left = this.#of(who) - 1;
    if (left > 0) this.#waiting.set(who, left);
    else this.#waiting.delete(who);
  }
}

/** 1,000 mails: the web's caller waits at most 15 s. */
const WEB_ROUNDS = 2;
const QUEUE_PLACES = { most: 16, ofOne: 4, busy: "The queue is being looked at for many others." };
const ROOT = "root";

/** Root is limited only by the time of a command. */
const ROOTS_SHARE: Share = {
  rounds: Number.POSITIVE_INFINITY,
  deletes: (mails) => mails,
  releases: (mails) => mails,
};

type Bounds = Pick<WebBounds, "deletes" | "releases" | "left">;

/** Limits the web's commands on the queue: one after the other, and a bounded number of mails. */
export class QueueShares {
  readonly #bounds: Bounds;
  readonly #share: Share;
  readonly #queue = new Turn(QUEUE_PLACES);

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    const releases = (mails: number): number => bounds.releases(mails);
    this.#share = { rounds: WEB_ROUNDS, deletes: (mails) => bounds.deletes(mails), releases };
  }

  /** For a dry run, which uses up nothing. */
  dryRun(caller: Caller, verb: Verb, run: OfShare): Promise<Reply> | Reply {
    const share = shareOfDryRun(this.#bounds.left());
    return isDryRunOnQueue(verb) ? this.#queue.take(caller, () => run(share)) : run(share);
  }

  /** The web's commands on Postfix's queue take turns; others run at once, and so do all of root (`caller` null). */
  run(caller: Caller | null, verb: Verb, run: OfShare): Promise<Reply> | Reply {
    if (caller === null) return run(ROOTS_SHARE);
    return isOnQueue(verb) ? this.#queue.take(caller, () => run(this.#share)) : run(this.#share);
  }
}

function shareOfDryRun({ deletes, releases }: ReturnType<Bounds["left"]>): Share {
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
