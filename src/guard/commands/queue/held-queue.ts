import type { CommandError } from "../../../admin/declare/control.ts";
import { MAILS_PER_COMMAND, type QueuedMail, SENDERS_PER_COMMAND } from "../../../admin/declare/keeper.ts";
import type { HeldMailItem } from "../../../admin/held.ts";
import type { Change } from "../../../core/decide/decision.ts";
import { type AccountName, type Address, parseAddress } from "../../../core/net/address.ts";
import { DAY_MS, HOUR_MS, instant, isoTime, later, type Millis } from "../../../core/time.ts";
import { type AliasStore, HELD_BY_HAND, type HeldMail, type Keeper } from "../../admin-ports.ts";
import type { Engine } from "../../engine.ts";
import type { AccountDirectory, Clock, Failed } from "../../ports.ts";
import { uncertain } from "../record-first.ts";
import { failed } from "../refusals.ts";

/** Postfix's queue, and the guard's notes of the mail on hold there. */

export type HeldQueueParts = Readonly<{
  engine: Pick<Engine, "audit">;
  keeper: Keeper;
  heldMail: HeldMail;
  accounts: Pick<AliasStore, "sendersOf">;
  active: AccountDirectory;
  clock: Clock;
}>;
/** `mayBeDone`: as in the keeper's reply. */
export type QueueFailure = Failed & Readonly<{ mayBeDone?: true }>;
export const NO_RECORD: QueueFailure = { ok: false, reason: "The database did not record it." };
export const RESUMED: QueueFailure = { ok: false, reason: "The account was resumed." };
/** Limits of one command. */
export type Share = Readonly<{
  /** Maximum rounds, of 500 mails each. */
  rounds: number;
  /** How many of these mails may be deleted or returned now. They count as deleted. */
  deletes: (mails: number) => number;
  /** The same for mails to release. */
  releases: (mails: number) => number;
}>;
export type OnHold = Readonly<{ ok: true; items: readonly HeldMailItem[] }> | QueueFailure;

/** How long mail may wait: as long as an isolated server keeps mail that it cannot deliver (main-cf.ts), if events are kept that long. */
const QUEUED_MS = 100 * DAY_MS;
/** The keeper finds 500 mails at a time. More than 20,000 take a second command. */
export const HELD_ROUNDS = 40;
/** How long a note is kept without its mail, which may enter the queue only after its milters have answered. */
const ARRIVING_MS = HOUR_MS;

/**
 * Puts on hold all mail of the account that waits in the queue, except `except`, until the account is resumed. Returns how many mails it
 * holds; `all` also has the ids on hold by hand.
 */
export async function holdQueued(
  parts: HeldQueueParts,
  account: AccountName,
  except: ReadonlySet<string>,
): Promise<Readonly<{ ok: true; held: number; all: readonly string[] }> | QueueFailure> {
  const { active, engine, heldMail, keeper } = parts;
  const senders = sendersOf(parts, account);
  const known = [...idsOf(heldMail.held(account)), ...sentIds(parts, account)];
  const ordered = new Set<string>();
  const withoutNote = (mails: readonly QueuedMail[]): readonly QueuedMail[] =>
    mails.filter(({ id }) => !isByHand(heldMail, id) && heldMail.holderOf(id) !== account);
  const noteAll = async (mails: readonly QueuedMail[]): Promise<boolean> => {
    const changes = withoutNote(mails).map(({ id, recipients: recipientCount }): Change => {
      // The recipients became known when the mail was accepted.
      return { type: "HOLD_MAIL", queueId: id, account, ip: null, recipientCount, recipients: [] };
    });
    return changes.length === 0 || engine.audit(null, changes);
  };
  // True in a dry run, which suspends nothing.
  const wasActive = active.isActive(account);
  for (let round = 0; round < HELD_ROUNDS; round++) {
    const loose = await find(keeper, senders, known, { onHold: false });
    if (!loose.ok) return loose;
    const mails = loose.mails.filter(({ id }) => !except.has(id));
    if (mails.length === 0) {
      const found = await find(keeper, senders, [...known, ...ordered], { onHold: true });
      if (!found.ok) return found;
      await forgetAllBut(engine, found.mails, [...ordered]);
      if (!(await noteAll(found.mails))) return NO_RECORD;
      const all = found.mails.map(({ id }) => id);
      return { ok: true, held: all.filter((id) => !isByHand(heldMail, id)).length, all };
    }
    if (!wasActive && active.isActive(account)) return RESUMED;
    // Notes come before the order, because the guard may stop in between, and mail on hold without a note would be released as no one's.
    // If a full disk prevents the notes, the mail is held anyway.
    const fresh = withoutNote(mails).map(({ id }) => id);
    await noteAll(mails);
    const ids = mails.map(({ id }) => id);
    const { done, failure } = await change(keeper, "hold_mail", ids);
    if (failure !== null) {
      // Otherwise these notes would count as held mail until the hourly reconciliation.
      const isHeld = ({ id }: QueuedMail): boolean => done.includes(id);
      if (failure.mayBeDone !== true) await forgetAllBut(engine, mails.filter(isHeld), fresh);
      return failure;
    }
    for (const id of ids) ordered.add(id);
  }
  return { ok: false, reason: "Mail kept coming into the queue." };
}

/**
 * The mail on hold in Postfix's queue. Removes notes of mail that has gone, since root can use postsuper(1). Mail that the guard
 * could not note, because the database could not be written, is found by an address of the account as its envelope sender. Mail put on
 * hold by hand (`queue hold`) is left to `queue release`.
 */
export async function onHold(parts: HeldQueueParts, account: AccountName | null): Promise<OnHold> {
  const { engine, keeper, heldMail, clock } = parts;
  const noted = new Map(heldMail.held(account).map((item) => [item.queueId, item]));
  if (account === null && noted.size === 0) return { ok: true, items: [] };
  const senders = account === null ? [] : sendersOf(parts, account);
  const found = await find(keeper, senders, [...noted.keys()], { onHold: true });
  if (!found.ok) return found;
  const settled = isoTime(settledBefore(clock.now()));
  await forgetAllBut(engine, found.mails, idsOf([...noted.values()].filter(({ at }) => at < settled)));
  const mails = found.mails.filter(({ id }) => !isByHand(heldMail, id));
  const named = (mail: QueuedMail): HeldMailItem => {
    const note = noted.get(mail.id) ?? unnoted(mail, account ?? "");
    // The note has only outside recipients to whom the account had never written.
    return { ...note, recipients: mail.to ?? note.recipients };
  };
  return { ok: true, items: mails.map(named) };
}

/**
 * Returns those of these mails that are on hold for the account. Mail that the guard could not note counts as the account's, because
 * a caller who names a mail has seen it.
 */
export async function onHoldOf(
  { keeper, heldMail }: HeldQueueParts,
  account: AccountName,
  ids: readonly string[],
): Promise<OnHold> {
  const found = await find(keeper, [], ids, { onHold: true });
  if (!found.ok) return found;
  const mails = found.mails.filter(({ id }) => (heldMail.holderOf(id) ?? account) === account);
  return { ok: true, items: mails.map((mail) => unnoted(mail, account)) };
}

/**
 * Checks the next `MAILS_PER_COMMAND` notes of all accounts after `after`, and removes those of mail that is no longer on hold.
 * Returns the last queue id that it checked; null if none is left, or if the queue cannot be read.
 */
export async function forgetGone(parts: HeldQueueParts, after: string): Promise<string | null> {
  const { engine, keeper, heldMail, clock } = parts;
  const ids = heldMail.noted(after, settledBefore(clock.now()), MAILS_PER_COMMAND);
  const last = ids.at(-1);
  if (last === undefined) return null;
  const found = await find(keeper, [], ids, { onHold: true });
  if (!found.ok) return null;
  await forgetAllBut(engine, found.mails, ids);
  return last;
}

/** While the database cannot be written, the notes stay until the next time. */
async function forgetAllBut(engine: Pick<Engine, "audit">, there: readonly QueuedMail[], noted: readonly string[]) {
  const present = new Set(there.map(({ id }) => id));
  const queueIds = noted.filter((id) => !present.has(id));
  if (queueIds.length > 0) await engine.audit(null, [{ type: "FORGET_HELD", queueIds }]);
}

function settledBefore(now: Millis): Millis {
  return later(now, -ARRIVING_MS);
}

/** The addresses of an account as a sender. For a removed account, that is only its name; other mail is found only by its events. */
export function sendersOf({ accounts }: Pick<HeldQueueParts, "accounts">, account: AccountName): readonly Address[] {
  const senders = accounts.sendersOf(account, SENDERS_PER_COMMAND).flatMap((address) => parseAddress(address) ?? []);
  return [...new Set<Address>([account, ...senders])].slice(0, SENDERS_PER_COMMAND);
}

/** Mail that the account sent under any address: the latest 2,000 mails that may still wait. */
export function sentIds({ heldMail, clock }: HeldQueueParts, account: AccountName): readonly string[] {
  return heldMail.sent(account, later(clock.now(), -QUEUED_MS)).flatMap(({ queueId }) => queueId ?? []);
}

function isByHand(heldMail: HeldMail, queueId: string): boolean {
  return heldMail.holderOf(queueId) === HELD_BY_HAND;
}

function unnoted({ id, at, recipients, to = [] }: QueuedMail, account: string): HeldMailItem {
  return { queueId: id, account, at: isoTime(instant(at)), ip: null, recipientCount: recipients, recipients: to };
}

/** Finds mails with these ids, and the first 500 or more with one of these envelope senders. Returns each once. */
async function find(
  keeper: Keeper,
  senders: readonly Address[],
  ids: readonly string[],
  kind: Readonly<{ onHold: boolean }>,
): Promise<Readonly<{ ok: true; mails: readonly QueuedMail[] }> | QueueFailure> {
  const mails = new Map<string, QueuedMail>();
  for (const some of ids.length === 0 ? [ids] : portions(ids)) {
    const reply = await keeper.ask({ verb: "find_mail", senders, ids: some, ...kind });
    if (!reply.ok) return reply;
    for (const mail of reply.mails ?? []) mails.set(mail.id, mail);
  }
  return { ok: true, mails: [...mails.values()] };
}

/** Sends the order in portions, until one fails. `done`: the mails of the portions before it. */
export async function change(
  keeper: Keeper,
  verb: "hold_mail" | "release_mail" | "delete_mail" | "return_mail",
  ids: readonly string[],
): Promise<Readonly<{ done: readonly string[]; failure: QueueFailure | null }>> {
  const done: string[] = [];
  for (const some of portions(ids)) {
    const reply = await keeper.ask(verb === "delete_mail" ? { verb, ids: some, onHold: true } : { verb, ids: some });
    if (!reply.ok) return { done, failure: reply };
    done.push(...some);
  }
  return { done, failure: null };
}

function portions(ids: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(ids.length / MAILS_PER_COMMAND);
  return Array.from({ length: count }, (_, i) => ids.slice(i * MAILS_PER_COMMAND, (i + 1) * MAILS_PER_COMMAND));
}

export function idsOf(items: readonly HeldMailItem[]): readonly string[] {
  return items.map(({ queueId }) => queueId);
}

export const ONCE_SHOWN = "Once `status` shows the keeper and Postfix, give the command again.";

export function unanswered(reason: string): CommandError {
  return failed(`The queue could not be changed: ${reason}`, ONCE_SHOWN);
}

export function changeFault({ reason, mayBeDone }: QueueFailure): CommandError {
  return mayBeDone === true ? uncertain(`The queue may have been changed: ${reason}`, ONCE_SHOWN) : unanswered(reason);
}
