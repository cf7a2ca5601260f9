import type { GreylistPauseItem } from "../../../src/admin/filters.ts";
import type { Dropped, HeldList, Released } from "../../../src/admin/held.ts";
import type { QueueChange } from "../../../src/admin/queue.ts";
import { t } from "../../admin-texts.ts";
import { post, queryOf, remove } from "../../api.ts";
import { tell } from "../../attempt.ts";
import { withProof } from "../../session.ts";

/** What the page asks the server to do with mail. Each says what was done, and offers to undo what can be. They throw `Refused`. */

const words = t.mail;

export const QUEUE_ACTIONS = ["hold", "release", "flush", "return", "delete"] as const;
export type QueueAction = (typeof QUEUE_ACTIONS)[number];
export type Chosen = Readonly<{ ids: readonly string[] }> | Readonly<Record<string, string>>;

/** The server goes through some thousand mails for each request. More than 20 requests are beyond what the dashboard is for. */
const MOST_TURNS = 20;
const UNDONE_BY: Readonly<Partial<Record<QueueAction, QueueAction>>> = { hold: "release", release: "hold" };

/** Offers an undo only if all named mails were changed: the others, or mail chosen by a filter, may have been on hold before. */
export async function changeQueue(action: QueueAction, chosen: Chosen, undone: () => void): Promise<void> {
  const { changed, kept, failure } = await carriedOut(action, chosen);
  if (failure !== null && changed === 0) throw failure.error;
  const back = UNDONE_BY[action];
  const undo = async (): Promise<void> => {
    if (back === undefined) return;
    const again = await carriedOut(back, chosen);
    tell(words.done[back](again.changed));
    undone();
    if (again.failure !== null) throw again.failure.error;
  };
  const canUndo = back !== undefined && "ids" in chosen && changed === chosen.ids.length;
  const stayed = kept.reduce((sum, { mails }) => sum + mails, 0);
  const says = words.done[action](changed);
  tell(stayed === 0 ? says : `${says} ${words.kept(stayed, kept.map(({ account }) => account).join(", "))}`, {
    undo: canUndo ? undo : null,
  });
  if (failure !== null) throw failure.error;
}

/** Why a turn failed. What the turns before it did stays done. */
type Failure = Readonly<{ error: unknown }>;
type CarriedOut = Pick<QueueChange, "changed" | "kept"> & Readonly<{ failure: Failure | null }>;

async function carriedOut(action: QueueAction, chosen: Chosen): Promise<CarriedOut> {
  let changed = 0;
  const kept: QueueChange["kept"][number][] = [];
  let cursor: string | null = null;
  const failure = await inTurns(async () => {
    const body = cursor === null ? chosen : { ...chosen, cursor };
    const answer: QueueChange = await withProof(() => post<QueueChange>(`queue/${action}`, body));
    changed += answer.changed;
    kept.push(...answer.kept);
    cursor = answer.next;
    return cursor !== null;
  });
  return { changed, kept, failure };
}

/** Repeats `turn`, at most `MOST_TURNS` times, until it returns false because nothing is left. */
async function inTurns(turn: () => Promise<boolean>): Promise<Failure | null> {
  try {
    for (let count = 0; count < MOST_TURNS; count++) if (!(await turn())) break;
    return null;
  } catch (error) {
    return { error };
  }
}

/** If a turn fails, reports what was sent before, and then throws. */
export async function releaseHeld(account: string): Promise<void> {
  let sent = 0;
  let isMore = false;
  const failure = await inTurns(async () => {
    const answer = await withProof(() => post<Released>(`held/${encodeURIComponent(account)}/release`, {}));
    sent += answer.released;
    isMore = answer.isMore;
    return isMore;
  });
  if (failure === null || sent > 0) tell(isMore ? words.releasedPart(account, sent) : words.released(account, sent));
  if (failure !== null) throw failure.error;
}

/** Which held mail is dropped: `ids` of the mails that the reader saw, or null for all of those (`total`). */
export type Shown = Readonly<{ ids: readonly string[] | null; total: number }>;

/** If a turn fails, reports what was dropped before, and then throws. */
export async function dropHeld(account: string, bounce: boolean, { ids, total }: Shown): Promise<void> {
  const path = `held/${encodeURIComponent(account)}/drop`;
  const body = { bounce, ...(ids !== null && { ids }) };
  let dropped = 0;
  const failure = await inTurns(async () => {
    const answer = await withProof(() => post<Dropped>(path, body));
    dropped += answer.dropped;
    return answer.isMore && dropped < total;
  });
  if (failure === null || dropped > 0)
    tell(bounce ? words.returnedHeld(account, dropped) : words.dropped(account, dropped));
  if (failure !== null) throw failure.error;
}

/** The answer names only the newest 100 mails, but counts all. */
export function shownOf({ held, heldTotal }: Pick<HeldList, "held" | "heldTotal">): Shown {
  return { ids: held.length === heldTotal ? held.map(({ queueId }) => queueId) : null, total: heldTotal };
}

/** Accounts whose hold has ended, but some of whose mail is still on hold: the order to send it was not completed. */
export function leftBehind({ accounts, held }: Pick<HeldList, "accounts" | "held">): readonly string[] {
  const isHeld = new Set(accounts.map(({ account }) => account));
  return [...new Set(held.map(({ account }) => account))].filter((account) => !isHeld.has(account));
}

export async function pauseGreylist(recipient: string, lasts: string, changed: () => void): Promise<void> {
  const pause = await post<GreylistPauseItem>("greylist/pauses", { recipient, ...(lasts !== "" && { for: lasts }) });
  changed();
  tell(words.paused(pause.target), { undo: () => resumeGreylist(pause.target).then(changed) });
}

export async function resumeGreylist(recipient: string): Promise<void> {
  await remove(`greylist/pauses/${encodeURIComponent(recipient)}`);
  tell(words.resumed(recipient));
}

type Sender = Readonly<{ account: string; sender: string }>;

export async function allowSender({ account, sender }: Sender, changed: () => void): Promise<void> {
  await post("spam/senders", { account, sender });
  changed();
  tell(words.senderAllowed(sender, account), { undo: () => takeOff({ account, sender }).then(changed) });
}

export async function disallowSender({ account, sender }: Sender, changed: () => void): Promise<void> {
  await takeOff({ account, sender });
  changed();
  tell(words.senderOff(sender, account), { undo: () => allowSender({ account, sender }, changed) });
}

async function takeOff({ account, sender }: Sender): Promise<void> {
  await remove(`spam/senders${queryOf({ account, sender })}`);
}
