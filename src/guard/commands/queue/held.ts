import type { CommandError } from "../../../admin/declare/control.ts";
import { MAILS_PER_COMMAND } from "../../../admin/declare/keeper.ts";
import type { HeldMailItem } from "../../../admin/held.ts";
import type { AccountName } from "../../../core/net/address.ts";
import { DAY_MS, instant, isoTime, later } from "../../../core/time.ts";
import type { HeldMail } from "../../admin-ports.ts";
import { UNWRITTEN, uncertain } from "../record-first.ts";
import { failed } from "../refusals.ts";
import type { RunsOf } from "../run-of.ts";
import {
  change,
  changeFault,
  HELD_ROUNDS,
  type HeldQueueParts,
  idsOf,
  ONCE_SHOWN,
  type OnHold,
  onHold,
  onHoldOf,
  type QueueFailure,
  type Share,
  unanswered,
} from "./held-queue.ts";

/** `account held` shows what was sent within this time. */
const SENT_MS = DAY_MS;
const MOST_SHOWN = 100;
const SHOWS_HELD = "`account held` shows what is.";

export const HELD_RUNS = {
  held_list: async (parts, { name: account }) => {
    const { active, heldMail, clock } = parts;
    const found = await onHold(parts, account);
    if (!found.ok) return unanswered(found.reason);
    const sent = account === null ? [] : heldMail.sent(account, later(clock.now(), -SENT_MS));
    const accounts = heldMail.accounts().filter((one) => account === null || one.account === account);
    const noted = notedCount(heldMail, account);
    const result = {
      accounts: accounts.slice(0, MOST_SHOWN),
      held: found.items.toSorted((a, b) => b.at.localeCompare(a.at)).slice(0, MOST_SHOWN),
      // Only the newest notes were looked up in the queue.
      heldTotal: noted > heldMail.held(account).length ? Math.max(noted, found.items.length) : found.items.length,
      sent: sent.slice(0, MOST_SHOWN),
      sentTotal: sent.length,
      suspended: account !== null && !active.isActive(account),
    };
    return { ok: true, result };
  },
  /**
   * Ends the hold first, so that mail which arrives at that moment is not held. If Postfix cannot be asked, repeating the command
   * releases the rest. Stops once the account is suspended, and leaves mail that is held later or after `until`. Refuses if the hold
   * started after `until`, or if all the mail that the caller saw is gone, because someone else has dropped it.
   */
  held_release: async (parts, { name, until, suspended }, by, { share }) => {
    const { active, clock, engine, heldMail } = parts;
    const look = () => onHold(parts, name);
    const found = await look();
    if (!found.ok) return unanswered(found.reason);
    const latest = until ?? isoTime(clock.now());
    const first = until === undefined ? found.items : found.items.filter(({ at }) => at <= until);
    const hold = heldMail.accounts().find(({ account }) => account === name);
    if (first.length === 0 && hold === undefined) return nothingHeld(name);
    if (until !== undefined && hold !== undefined && (first.length === 0 ? hold.at !== until : hold.at > until))
      return listChanged(`The held mail of ${name} changed`);
    const wasActive = active.isActive(name);
    if (suspended === false && !wasActive) return listChanged(`${name} was suspended`);
    const upTo = until !== undefined && { until: instant(Date.parse(until)) };
    // The side effect of this event is END_HOLD (`sideEffectsOf`).
    if (!(await engine.audit({ type: "ACCOUNT_RELEASED", subject: name, by, ...upTo }))) return UNWRITTEN;
    const released = await changeAll(parts, {
      verb: "release_mail",
      look,
      first,
      isMeant: ({ at }) => at <= latest,
      isStopped: () => wasActive && !active.isActive(name),
      rounds: share.rounds,
      most: share.releases,
    });
    if (released.ok) return { ok: true, result: { name, released: released.count, isMore: released.isMore } };
    const message = `New mail of ${name} is no longer held, but mail on hold may not have been released: ${released.reason}`;
    return uncertain(message, ONCE_SHOWN);
  },
  /**
   * Deletes held mail. The owner did not write it, so further mail stays held until `account release`. Mail that arrives after the order is
   * not deleted, nor is mail that is still on its way into the queue, because no one has seen it.
   */
  held_drop: async (parts, { name, isReturned, ids = null, until }, by, { share }) => {
    const { clock, engine, heldMail } = parts;
    const latest = until ?? isoTime(clock.now());
    const look = () => (ids === null ? onHold(parts, name) : onHoldOf(parts, name, ids));
    const found = await look();
    if (!found.ok) return unanswered(found.reason);
    const first = until === undefined ? found.items : found.items.filter(({ at }) => at <= until);
    if (first.length === 0)
      return ids === null && until === undefined
        ? nothingHeld(name)
        : { ok: true, result: { name, dropped: 0, isMore: false, isHeld: isHeld(heldMail, name) } };
    const there = new Set(idsOf(first));
    const unseen = new Set(idsOf(heldMail.held(name)).filter((id) => !there.has(id)));
    if (!(await engine.audit({ type: "HELD_MAIL_DROPPED", subject: name, by }))) return UNWRITTEN;
    const dropped = await changeAll(parts, {
      verb: isReturned === true ? "return_mail" : "delete_mail",
      look,
      first,
      isMeant: ({ queueId, at }) => at <= latest && !unseen.has(queueId),
      isStopped: () => false,
      rounds: share.rounds,
      most: share.deletes,
    });
    if (!dropped.ok) return changeFault(dropped);
    const result = { name, dropped: dropped.count, isMore: dropped.isMore, isHeld: isHeld(heldMail, name) };
    return { ok: true, result };
  },
} satisfies RunsOf<HeldQueueParts, Readonly<{ share: Share }>>;

type Orders = Readonly<{
  verb: "release_mail" | "delete_mail" | "return_mail";
  look: () => Promise<OnHold>;
  /** What was on hold when the order came. */
  first: readonly HeldMailItem[];
  /** Whether the order includes mail that is found only later. */
  isMeant: (mail: HeldMailItem) => boolean;
  isStopped: () => boolean;
  rounds: Share["rounds"];
  most: Share["releases"];
}>;

/**
 * Releases or deletes the mail on hold, in parts, until none is left, or until something fails after the first 500 mails. A note is removed
 * only with its mail. Without notes, mail that is still on hold would leave with the next `account release`.
 */
async function changeAll(
  { engine, keeper }: HeldQueueParts,
  { verb, look, first, isMeant, isStopped, rounds, most }: Orders,
): Promise<Readonly<{ ok: true; count: number; isMore: boolean }> | QueueFailure> {
  const known = new Set(idsOf(first));
  const changed = new Set<string>();
  let items = first;
  for (let round = 0; round < Math.min(HELD_ROUNDS, rounds) && !isStopped(); round++) {
    const ids = idsOf(items).slice(0, most(Math.min(items.length, MAILS_PER_COMMAND)));
    if (ids.length === 0) break;
    const { done, failure } = await change(keeper, verb, ids);
    for (const id of done) changed.add(id);
    if (failure !== null && changed.size === 0) return failure;
    const left = await look();
    if (!left.ok) return { ok: true, count: changed.size, isMore: true };
    items = left.items.filter((mail) => known.has(mail.queueId) || isMeant(mail));
    const stays = new Set(idsOf(left.items));
    const gone = ids.filter((id) => !stays.has(id));
    // Notes that stay are removed later (`forgetGone`).
    if (!(await engine.audit(null, [{ type: "FORGET_HELD", queueIds: gone }])) || failure !== null) break;
  }
  for (const { queueId } of items) changed.delete(queueId);
  return { ok: true, count: changed.size, isMore: items.length > 0 };
}

export function isHeld(heldMail: HeldMail, name: AccountName): boolean {
  return heldMail.accounts().some(({ account }) => account === name);
}

/** Mails noted as on hold, of one account or of all: `held` returns only the newest. */
export function notedCount(heldMail: HeldMail, account: AccountName | null): number {
  const counts = heldMail.counts().filter((one) => account === null || one.account === account);
  return counts.reduce((sum, { mails }) => sum + mails, 0);
}

function listChanged(what: string): CommandError {
  return failed(`${what} after the list was made: nothing was sent.`, SHOWS_HELD);
}

function nothingHeld(name: AccountName): CommandError {
  return failed(`No mail of ${name} is held.`, SHOWS_HELD);
}
