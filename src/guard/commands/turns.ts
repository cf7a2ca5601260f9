import type { CommandError, Reply, Verb } from "../../admin/declare/control.ts";
import { oneAfterAnother } from "../../core/one-after-another.ts";
import type { Share } from "./queue/held-queue.ts";
import { failed } from "./refusals.ts";
import type { WebCaller } from "./web/command-gate.ts";
import { isDryRunOnQueue, isOnQueue, type WebBounds } from "./web/web-bounds.ts";

/** All sessions of one user count together. */
type Caller = Readonly<{ item: Pick<WebCaller["item"], "how" | "name"> }>;

type OnQueue = Readonly<{ caller: Caller | null; verb: Verb; isDry: boolean }>;

/** Maximum commands that run or wait, in all and of one caller, to leave room for others. `busy`: the sentence for refused commands. */
type TurnLimits = Readonly<{ most: number; ofOne: number; busy: string }>;

export type Turn = ReturnType<typeof createTurn>;

/** Runs commands one after the other; some wait, and more are refused. Never refuses root, whose caller is null. */
export function createTurn({ most, ofOne, busy }: TurnLimits) {
  const inTurn = oneAfterAnother();
  /** The callers of the commands that run or wait. */
  const callers: string[] = [];
  return <T extends Reply>(caller: Caller | null, run: () => Promise<T> | T): Promise<T> | CommandError => {
    const who = caller === null ? "root" : `${caller.item.how} ${caller.item.name}`;
    const own = callers.filter((one) => one === who).length;
    if (caller !== null && (callers.length >= most || own >= ofOne)) return failed(busy, "Try again in a few seconds.");
    callers.push(who);
    return inTurn(run).finally(() => callers.splice(callers.indexOf(who), 1));
  };
}

/** 1,000 mails, because the web waits only 10 s for the guard (`CONTROL_TIMEOUT_MS`). */
const WEB_ROUNDS = 2;
const QUEUE_LIMITS = { most: 16, ofOne: 4, busy: "Too many commands on the queue are waiting." };

/** Root is limited only by the time that a command may take. */
const ROOTS_SHARE: Share = { rounds: Number.POSITIVE_INFINITY, deletes: (mails) => mails, releases: (mails) => mails };

type Bounds = Pick<WebBounds, "deletes" | "releases" | "left">;

/**
 * Limits the web's commands on Postfix's queue: they run one after the other and change a bounded number of mails, of which a dry run uses
 * up none. Other commands run at once, and so do all commands by root (`caller` null).
 */
export function createQueueShares(bounds: Bounds) {
  const inTurn = createTurn(QUEUE_LIMITS);
  const counted: Share = {
    rounds: WEB_ROUNDS,
    deletes: (mails) => bounds.deletes(mails),
    releases: (mails) => bounds.releases(mails),
  };
  return ({ caller, verb, isDry }: OnQueue, run: (share: Share) => Promise<Reply> | Reply): Promise<Reply> | Reply => {
    if (caller === null) return run(ROOTS_SHARE);
    const share = isDry ? shareOfDryRun(bounds.left()) : counted;
    const waits = isDry ? isDryRunOnQueue(verb) : isOnQueue(verb);
    return waits ? inTurn(caller, () => run(share)) : run(share);
  };
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
