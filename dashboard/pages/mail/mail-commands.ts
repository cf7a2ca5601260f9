import type { GreylistPauseItem } from "../../../src/admin/filters.ts";
import type { HeldList } from "../../../src/admin/held.ts";
import { t } from "../../admin-texts.ts";
import { type Answer, request } from "../../api.ts";
import { notify } from "../../attempt.ts";
import { withoutEmpty } from "../../format.ts";
import type { Query } from "../../route.ts";
import { withProof } from "../../session.ts";

/** What the page asks the server to do with mail. Each says what was done, and offers an undo if possible. They throw `RequestError`. */

const words = t.mail;

export const QUEUE_ACTIONS = ["hold", "release", "flush", "return", "delete"] as const;
export type QueueAction = (typeof QUEUE_ACTIONS)[number];
export type Chosen = Readonly<{ ids: readonly string[] }> | Query;

/** Each request covers at most 1,000 mails. The dashboard is not meant for more than 20 requests. */
const MOST_BATCHES = 20;
/** If nothing was shown, nothing is sent. */
const BEFORE_ALL = new Date(0).toISOString();
const UNDONE_BY: Readonly<Partial<Record<QueueAction, QueueAction>>> = { hold: "release", release: "hold" };

/** Offers an undo only if all named mails were changed: the others, or mail chosen by a filter, may have been on hold before. */
export async function changeQueue(action: QueueAction, chosen: Chosen, undone: () => void): Promise<void> {
  const back = UNDONE_BY[action];
  await changeAll(action, chosen, (changed, kept) => {
    const canUndo = back !== undefined && "ids" in chosen && changed === chosen.ids.length;
    // An undo that fails may still have changed some.
    const undo = canUndo
      ? () => changeAll(back, chosen, (again) => notify(words.done[back](again))).finally(undone)
      : null;
    const stayed = kept.reduce((sum, { mails }) => sum + mails, 0);
    const stays = stayed === 0 ? "" : ` ${words.kept(stayed, kept.map(({ account }) => account).join(", "))}`;
    notify(`${words.done[action](changed)}${stays}`, { undo });
  });
}

type Kept = Answer<"POST /queue/hold">["kept"];
type Report = (changed: number, kept: Kept) => void;

async function changeAll(action: QueueAction, chosen: Chosen, report: Report): Promise<void> {
  const kept: Kept[number][] = [];
  let cursor: string | undefined;
  const batch = async (): Promise<Batch> => {
    const answer = await withProof(() => request(`POST /queue/${action}`, { body: { ...chosen, cursor } }));
    kept.push(...answer.kept);
    cursor = answer.next ?? undefined;
    return { done: answer.changed, isMore: answer.next !== null };
  };
  await inBatches(batch, ({ done }) => report(done, kept));
}

type Batch = Readonly<{ done: number; isMore: boolean }>;

/** Repeats `batch`, at most `MOST_BATCHES` times, until nothing is left. If one fails, says what the earlier ones did, and then throws. */
async function inBatches(batch: () => Promise<Batch>, report: (all: Batch) => void): Promise<void> {
  let all: Batch = { done: 0, isMore: true };
  try {
    for (let count = 0; count < MOST_BATCHES && all.isMore; count += 1) {
      const { done, isMore } = await batch();
      all = { done: all.done + done, isMore };
    }
  } catch (error) {
    if (all.done > 0) report(all);
    throw error;
  }
  report(all);
}

/** Sends what the reader saw, and ends only the hold that the reader saw, and only if the account was not suspended since. */
export async function releaseHeld(
  account: string,
  { accounts, held, suspended }: Pick<HeldList, "accounts" | "held" | "suspended">,
): Promise<void> {
  const until = [...accounts, ...held].reduce((newest, { at }) => (at > newest ? at : newest), BEFORE_ALL);
  const batch = async (): Promise<Batch> => {
    const asked = { params: { account }, body: { until, suspended } };
    const { released, isMore } = await withProof(() => request("POST /held/{account}/release", asked));
    return { done: released, isMore };
  };
  await inBatches(batch, ({ done, isMore }) =>
    notify(isMore ? words.releasedPart(account, done) : words.released(account, done)),
  );
}

/** Which held mail is dropped: that which the reader saw (`total`), by its ids or up to the newest one. */
export type DropSelection = Readonly<{
  total: number;
  meant: Readonly<{ ids: readonly string[] } | { until: string | undefined }>;
}>;

export async function dropHeld(account: string, bounce: boolean, { meant, total }: DropSelection): Promise<void> {
  let left = total;
  let isHeld = false;
  const batch = async (): Promise<Batch> => {
    const asked = { params: { account }, body: { bounce, ...meant } };
    const answer = await withProof(() => request("POST /held/{account}/drop", asked));
    left -= answer.dropped;
    ({ isHeld } = answer);
    return { done: answer.dropped, isMore: answer.isMore && left > 0 };
  };
  const sentence = bounce ? words.returnedHeld : words.dropped;
  await inBatches(batch, ({ done }) => notify(sentence(account, done) + (isHeld ? words.stillHeld : "")));
}

/** The answer names only the newest 100 mails, but counts all. */
export function dropSelection({ held, heldTotal }: Pick<HeldList, "held" | "heldTotal">): DropSelection {
  const isAll = held.length === heldTotal;
  return { total: heldTotal, meant: isAll ? { ids: held.map(({ queueId }) => queueId) } : { until: held[0]?.at } };
}

/** Accounts whose hold has ended, but some of whose mail is still on hold, because the command to send it was not completed. */
export function leftBehind({ accounts, held }: Pick<HeldList, "accounts" | "held">): readonly string[] {
  const isHeld = new Set(accounts.map(({ account }) => account));
  return [...new Set(held.map(({ account }) => account))].filter((account) => !isHeld.has(account));
}

type Pause = Readonly<{ recipient: string; for: string }>;

/** `former`: the pauses in force. A pause that this one replaces cannot be restored. */
export async function pauseGreylist(
  { recipient, ...details }: Pause,
  former: readonly GreylistPauseItem[],
  changed: () => void,
): Promise<void> {
  const pause = await request("POST /greylist/pauses", { body: { recipient, ...withoutEmpty(details) } }).finally(
    changed,
  );
  const isNew = former.every(({ target }) => target !== pause.target);
  notify(words.paused(pause.target), { undo: isNew ? () => resumeGreylist(pause.target).finally(changed) : null });
}

export async function resumeGreylist(recipient: string): Promise<void> {
  await request("DELETE /greylist/pauses/{recipient}", { params: { recipient } });
  notify(words.resumed(recipient));
}

type Sender = Readonly<{ account: string; sender: string }>;

export async function allowSender({ account, sender }: Sender, changed: () => void): Promise<void> {
  await request("POST /spam/senders", { body: { account, sender } }).finally(changed);
  notify(words.senderAllowed(sender, account), { undo: () => removeSender({ account, sender }).finally(changed) });
}

export async function disallowSender({ account, sender }: Sender, changed: () => void): Promise<void> {
  await removeSender({ account, sender }).finally(changed);
  notify(words.senderOff(sender, account), { undo: () => allowSender({ account, sender }, changed) });
}

async function removeSender({ account, sender }: Sender): Promise<void> {
  await request("DELETE /spam/senders", { query: { account, sender } });
}
