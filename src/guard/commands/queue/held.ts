import type { CommandError } from "../../../admin/declare/control.ts";
import type { HeldMailItem } from "../../../admin/held.ts";
import type { AccountName } from "../../../core/net/address.ts";
import { DAY_MS, later } from "../../../core/time.ts";
import type { HeldMail } from "../../admin-ports.ts";
import { UNWRITTEN, uncertain } from "../record-first.ts";
import { failed } from "../refusals.ts";
import type { RunsOf } from "../run-of.ts";
import {
  change,
  changeFault,
  type Failure,
  HELD_ROUNDS,
  type HeldQueueParts,
  idsOf,
  ONCE_SHOWN,
  type OnHold,
  onHold,
  onHoldOf,
  type Share,
  unanswered,
} from "./held-queue.ts";

/** `account held` shows what was sent within this time. */
const SENT_MS = DAY_MS;
const MOST_SHOWN = 100;

export const HELD_RUNS = {
  held_list: async (parts, { name: account }) => {
    const { heldMail, clock } = parts;
    const found = await onHold(parts, account);
    if (!found.ok) return unanswered(found.reason);
    const sent = account === null ? [] : heldMail.sent(account, later(clock.now(), -SENT_MS));
    const accounts = heldMail.accounts().filter((one) => account === null || one.account === account);
    const result = {
      accounts: accounts.slice(0, MOST_SHOWN),
      held: found.items.toSorted((a, b) => b.at.localeCompare(a.at)).slice(0, MOST_SHOWN),
      heldTotal: found.items.length,
      sent: sent.slice(0, MOST_SHOWN),
      sentTotal: sent.length,
    };
    return { ok: true, result };
  },
  /**
   * Ends the hold first, so that mail which arrives at that moment is not held. If Postfix cannot be asked, repeating the command
   * releases the rest.
   */
  held_release: async (parts, { name }, by, { share }) => {
    const look = () => onHold(parts, name);
    const found = await look();
    if (!found.ok) return unanswered(found.reason);
    if (found.items.length === 0 && !isHeld(parts.heldMail, name)) return nothingHeld(name);
    // Its side effect is END_HOLD (`sideEffectsOf`).
    if (!(await parts.engine.audit({ type: "ACCOUNT_RELEASED", subject: name, by }))) return UNWRITTEN;
    const { rounds, releases: most } = share;
    const released = await changeAll(parts, { verb: "release_mail", look, first: found.items, rounds, most });
    if (released.ok) return { ok: true, result: { name, released: released.count, isMore: released.isMore } };
    const message = `New mail of ${name} is no longer held, but mail on hold may not have been released: ${released.reason}`;
    return uncertain(message, ONCE_SHOWN);
  },
  /** The owner did not write the deleted mail, so further mail stays held until `account release`. */
  held_drop: async (parts, { name, isReturned, ids = null }, by, { share }) => {
    const { engine, heldMail } = parts;
    const look = () => (ids === null ? onHold(parts, name) : onHoldOf(parts, name, ids));
    const found = await look();
    if (!found.ok) return unanswered(found.reason);
    if (found.items.length === 0)
      return ids === null
        ? nothingHeld(name)
        : { ok: true, result: { name, dropped: 0, isMore: false, isHeld: isHeld(heldMail, name) } };
    if (!(await engine.audit({ type: "HELD_MAIL_DROPPED", subject: name, by }))) return UNWRITTEN;
    const verb = isReturned === true ? "return_mail" : "delete_mail";
    const { rounds, deletes: most } = share;
    const dropped = await changeAll(parts, { verb, look, first: found.items, rounds, most });
    if (!dropped.ok) return changeFault(dropped);
    const result = { name, dropped: dropped.count, isMore: dropped.isMore, isHeld: isHeld(heldMail, name) };
    return { ok: true, result };
  },
} satisfies RunsOf<HeldQueueParts, Readonly<{ share: Share }>>;

type Orders = Readonly<{
  verb: "release_mail" | "delete_mail" | "return_mail";
  look: () => Promise<OnHold>;
  first: readonly HeldMailItem[];
  rounds: Share["rounds"];
  most: Share["releases"];
}>;

/**
 * Releases or deletes the mail on hold, in parts, until nothing is left or, after the first 500 mails, something fails. A note is removed
 * only with its mail: without notes, mail still on hold would leave with the next `account release`.
 */
async function changeAll(
  { engine, keeper }: HeldQueueParts,
  { verb, look, first, rounds, most }: Orders,
): Promise<Readonly<{ ok: true; count: number; isMore: boolean }> | Failure> {
  const changed = new Set<string>();
  let items = first;
  for (let round = 0; round < Math.min(HELD_ROUNDS, rounds); round++) {
    const ids = idsOf(items).slice(0, most(items.length));
    if (ids.length === 0) break;
    const { done, failure } = await change(keeper, verb, ids);
    for (const id of done) changed.add(id);
    if (failure !== null && changed.size === 0) return failure;
    const left = await look();
    if (!left.ok) return { ok: true, count: changed.size, isMore: true };
    items = left.items;
    const stays = new Set(idsOf(items));
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

function nothingHeld(name: AccountName): CommandError {
  return failed(`No mail of ${name} is held.`, "`account held` shows what is.");
}
