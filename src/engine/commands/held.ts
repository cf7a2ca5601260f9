import type { Change } from "../../core/decide/decision.ts";
import { type AccountName, type Address, parseAccountName, parseAddress } from "../../core/net/address.ts";
import { DAY_MS, HOUR_MS, instant, isoTime, later } from "../../core/time.ts";
import type { Command, CommandError, Reply } from "../../wire/control/control.ts";
import type { HeldMailItem } from "../../wire/control/items.ts";
import {
  type KeeperCommand,
  MAILS_PER_COMMAND,
  type QueuedMail,
  SENDERS_PER_COMMAND,
} from "../../wire/control/keeper.ts";
import type { AliasStore, HeldMail, Keeper } from "../admin-ports.ts";
import type { Engine } from "../engine.ts";
import type { Clock, Outcome } from "../ports.ts";
import { UNRECORDED } from "./unrecorded.ts";
import { wrongAddress } from "./wrong-address.ts";

export type HeldCommandParts = Readonly<{
  engine: Engine;
  keeper: Keeper;
  heldMail: HeldMail;
  accounts: Pick<AliasStore, "sendersOf">;
  clock: Clock;
}>;
export type HeldCommand = Extract<Command, { readonly verb: `held_${string}` }>;
type Failure = Extract<Outcome, { ok: false }>;
type Found = Readonly<{ ok: true; mails: readonly QueuedMail[] }> | Failure;

/** `account held` tells what left within this time. */
const SENT_MS = DAY_MS;
/** Longer than Postfix keeps a mail that it cannot deliver (outbound.queue_lifetime). */
const QUEUED_MS = 30 * DAY_MS;
const MOST_SHOWN = 100;
/** The keeper finds 500 mails at a time. More than 20,000 take a second command. */
const ROUNDS = 40;
/** A mail that is noted may get into the queue only after its milters have answered. */
const ARRIVING_MS = HOUR_MS;

export async function heldCommand(
  parts: HeldCommandParts,
  command: HeldCommand,
  by: string,
): Promise<Reply<HeldCommand["verb"]>> {
  const name = command.name === null ? null : parseAccountName(command.name);
  if (name === null && command.name !== null) return wrongAddress(command.name);
  if (command.verb === "held_list") return list(parts, name);
  if (name === null) return wrongAddress("");
  return command.verb === "held_release" ? release(parts, name, by) : drop(parts, name, by);
}

/** Puts on hold all mail of the account that waits in the queue. How many of its mails are on hold then. */
export async function holdQueued(
  parts: HeldCommandParts,
  account: AccountName,
): Promise<Readonly<{ ok: true; held: number }> | Failure> {
  const { engine, heldMail, clock, keeper } = parts;
  const senders = sendersOf(parts, account);
  const noted = new Set(heldMail.held(account).map(({ queueId }) => queueId));
  const sent = heldMail.sent(account, later(clock.now(), -QUEUED_MS)).flatMap(({ queueId }) => queueId ?? []);
  for (let round = 0; round < ROUNDS; round++) {
    const loose = await find(keeper, senders, [...noted, ...sent], { onHold: false });
    if (!loose.ok) return loose;
    if (loose.mails.length === 0) {
      const found = await find(keeper, senders, [...noted, ...sent], { onHold: true });
      if (!found.ok) return found;
      const changes = found.mails.filter(({ id }) => !noted.has(id)).map((mail) => heldChange(mail, account));
      if (changes.length > 0 && !(await engine.audit(null, changes)))
        return { ok: false, reason: "The database took no record of it." };
      return { ok: true, held: found.mails.length };
    }
    const held = await change(
      keeper,
      "hold_mail",
      loose.mails.map(({ id }) => id),
    );
    if (!held.ok) return held;
  }
  return { ok: false, reason: "Mail kept coming into the queue." };
}

async function list(parts: HeldCommandParts, account: AccountName | null): Promise<Reply<"held_list">> {
  const { heldMail, clock } = parts;
  const found = await onHold(parts, account);
  if (!found.ok) return unanswered(found.reason);
  const sent = account === null ? [] : heldMail.sent(account, later(clock.now(), -SENT_MS));
  const accounts = heldMail.accounts().filter((one) => account === null || one.account === account);
  const result = {
    accounts: accounts.slice(0, MOST_SHOWN),
    held: found.items.slice(0, MOST_SHOWN),
    heldTotal: found.items.length,
    sent: sent.slice(0, MOST_SHOWN),
    sentTotal: sent.length,
  };
  return { ok: true, result };
}

/**
 * The hold ends first, so that mail which arrives meanwhile is not held. If Postfix cannot be asked, the same command
 * again releases what is left.
 */
async function release(parts: HeldCommandParts, name: AccountName, by: string): Promise<Reply<"held_release">> {
  const { engine, heldMail } = parts;
  const found = await onHold(parts, name);
  if (!found.ok) return unanswered(found.reason);
  if (found.items.length === 0 && !isHeld(heldMail, name)) return nothingHeld(name);
  if (!(await engine.audit({ type: "ACCOUNT_RELEASED", subject: name, by }))) return UNRECORDED;
  const released = await changeAll(parts, name, "release_mail", found.items);
  if (!released.ok) return unanswered(released.reason);
  return { ok: true, result: { name, released: released.count, isMore: released.isMore } };
}

/** What is deleted was not written by the owner, so further mail stays held until `account release`. */
async function drop(parts: HeldCommandParts, name: AccountName, by: string): Promise<Reply<"held_drop">> {
  const { engine, heldMail } = parts;
  const found = await onHold(parts, name);
  if (!found.ok) return unanswered(found.reason);
  if (found.items.length === 0) return nothingHeld(name);
  if (!(await engine.audit({ type: "HELD_MAIL_DROPPED", subject: name, by }))) return UNRECORDED;
  const dropped = await changeAll(parts, name, "delete_mail", found.items);
  if (!dropped.ok) return unanswered(dropped.reason);
  const result = { name, dropped: dropped.count, isMore: dropped.isMore, isHeld: isHeld(heldMail, name) };
  return { ok: true, result };
}

/**
 * Releases or deletes what is on hold, some at a time, until nothing is left. A note goes with its mail only: forgotten
 * notes of mail that is still on hold would leave it to the next `account release`.
 */
async function changeAll(
  parts: HeldCommandParts,
  name: AccountName,
  verb: "release_mail" | "delete_mail",
  first: readonly HeldMailItem[],
): Promise<Readonly<{ ok: true; count: number; isMore: boolean }> | Failure> {
  const { engine, keeper, heldMail, clock } = parts;
  const changed = new Set<string>();
  const settled = isoTime(later(clock.now(), -ARRIVING_MS));
  let items = first;
  for (let round = 0; round < ROUNDS && items.length > 0; round++) {
    const ids = idsOf(items);
    const outcome = await change(keeper, verb, ids);
    if (!outcome.ok) return outcome;
    for (const id of ids) changed.add(id);
    const left = await onHold(parts, name);
    if (!left.ok) return left;
    items = left.items;
    const stays = new Set(idsOf(items));
    const gone = ids.filter((id) => !stays.has(id));
    if (!(await engine.audit(null, [{ type: "FORGET_HELD", queueIds: gone }])))
      return { ok: false, reason: "The database took no record of it." };
  }
  for (const { queueId } of items) changed.delete(queueId);
  if (items.length === 0) {
    // Of mail that root took from the queue.
    const stale = idsOf(heldMail.held(name).filter(({ at }) => at < settled));
    if (stale.length > 0) await engine.audit(null, [{ type: "FORGET_HELD", queueIds: stale }]);
  }
  return { ok: true, count: changed.size, isMore: items.length > 0 };
}

/**
 * What is on hold in Postfix's queue. Of what the guard has noted some may be gone: root can use postsuper(1). What it
 * could not note, because the database took no writes, has an address of the account as envelope sender.
 */
async function onHold(
  parts: HeldCommandParts,
  account: AccountName | null,
): Promise<Readonly<{ ok: true; items: readonly HeldMailItem[] }> | Failure> {
  const { keeper, heldMail } = parts;
  const noted = new Map(heldMail.held(account).map((item) => [item.queueId, item]));
  if (account === null && noted.size === 0) return { ok: true, items: [] };
  const found = await find(keeper, account === null ? [] : sendersOf(parts, account), [...noted.keys()], {
    onHold: true,
  });
  if (!found.ok) return found;
  return { ok: true, items: found.mails.map((mail) => noted.get(mail.id) ?? unnoted(mail, account ?? "")) };
}

/** An account that was removed has its name only. What others may send as too is found by its events alone. */
function sendersOf({ accounts }: HeldCommandParts, account: AccountName): readonly Address[] {
  const senders = accounts.sendersOf(account, SENDERS_PER_COMMAND).flatMap((address) => parseAddress(address) ?? []);
  return [...new Set<Address>([account, ...senders])].slice(0, SENDERS_PER_COMMAND);
}

function unnoted({ id, at, recipients }: QueuedMail, account: string): HeldMailItem {
  return { queueId: id, account, at: isoTime(instant(at)), ip: null, recipientCount: recipients, recipients: [] };
}

/** Those of these ids, and those with one of these envelope senders, of these 500 at least; each once. */
async function find(
  keeper: Keeper,
  senders: readonly Address[],
  ids: readonly string[],
  kind: Readonly<{ onHold: boolean }>,
): Promise<Found> {
  const mails = new Map<string, QueuedMail>();
  for (const some of ids.length === 0 ? [ids] : portions(ids)) {
    const reply = await keeper.ask({ verb: "find_mail", senders, ids: some, ...kind });
    if (!reply.ok) return reply;
    for (const mail of reply.mails ?? []) mails.set(mail.id, mail);
  }
  return { ok: true, mails: [...mails.values()] };
}

async function change(
  keeper: Keeper,
  verb: Extract<KeeperCommand["verb"], "hold_mail" | "release_mail" | "delete_mail">,
  ids: readonly string[],
): Promise<Outcome> {
  for (const some of portions(ids)) {
    const reply = await keeper.ask({ verb, ids: some });
    if (!reply.ok) return reply;
  }
  return { ok: true };
}

function portions(ids: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(ids.length / MAILS_PER_COMMAND);
  return Array.from({ length: count }, (_, i) => ids.slice(i * MAILS_PER_COMMAND, (i + 1) * MAILS_PER_COMMAND));
}

function heldChange({ id, recipients }: QueuedMail, account: AccountName): Change {
  // Its recipients were written to when it was taken.
  return { type: "HOLD_MAIL", queueId: id, account, ip: null, recipientCount: recipients, recipients: [] };
}

function isHeld(heldMail: HeldMail, name: AccountName): boolean {
  return heldMail.accounts().some(({ account }) => account === name);
}

function idsOf(items: readonly HeldMailItem[]): readonly string[] {
  return items.map(({ queueId }) => queueId);
}

function nothingHeld(name: AccountName): CommandError {
  return { ok: false, kind: "failed", message: `No mail of ${name} is held.`, next: "`account held` shows what is." };
}

function unanswered(reason: string): CommandError {
  return {
    ok: false,
    kind: "failed",
    message: `The queue could not be changed: ${reason}`,
    next: "Once `status` shows the keeper and Postfix, give the command again.",
  };
}
