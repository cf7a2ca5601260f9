import type { Change } from "../../core/decide/decision.ts";
import { type AccountName, parseAccountName } from "../../core/net/address.ts";
import { DAY_MS, instant, isoTime, later } from "../../core/time.ts";
import type { Command, CommandError, Reply } from "../../wire/control/control.ts";
import type { HeldMailItem } from "../../wire/control/items.ts";
import { type KeeperCommand, MAILS_PER_COMMAND, type QueuedMail } from "../../wire/control/keeper.ts";
import type { HeldMail, Keeper } from "../admin-ports.ts";
import type { Engine } from "../engine.ts";
import type { Clock, Outcome } from "../ports.ts";
import { UNRECORDED } from "./unrecorded.ts";
import { wrongAddress } from "./wrong-address.ts";

export type HeldCommandParts = Readonly<{ engine: Engine; keeper: Keeper; heldMail: HeldMail; clock: Clock }>;
export type HeldCommand = Extract<Command, { readonly verb: `held_${string}` }>;
type Failure = Extract<Outcome, { ok: false }>;
type Found = Readonly<{ ok: true; mails: readonly QueuedMail[] }> | Failure;

/** `account held` tells what left within this time. */
const SENT_MS = DAY_MS;
/** Longer than Postfix keeps a mail that it cannot deliver (outbound.queue_lifetime). */
const QUEUED_MS = 30 * DAY_MS;
const MOST_SHOWN = 100;
/** A mail may be between two queues while the queue is read. */
const ROUNDS = 5;

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
  const noted = new Set(heldMail.held(account).map(({ queueId }) => queueId));
  const sent = heldMail.sent(account, later(clock.now(), -QUEUED_MS)).flatMap(({ queueId }) => queueId ?? []);
  for (let round = 0; round < ROUNDS; round++) {
    const found = await find(keeper, account, [...noted, ...sent]);
    if (!found.ok) return found;
    const loose = found.mails.filter(({ isHeld }) => !isHeld).map(({ id }) => id);
    if (loose.length === 0) {
      const changes = found.mails.filter(({ id }) => !noted.has(id)).map((mail) => heldChange(mail, account));
      if (changes.length > 0 && !(await engine.audit(null, changes)))
        return { ok: false, reason: "The database took no record of it." };
      return { ok: true, held: found.mails.length };
    }
    const held = await change(keeper, "hold_mail", loose);
    if (!held.ok) return held;
  }
  return { ok: false, reason: "Mail kept coming into the queue." };
}

async function list(
  { heldMail, keeper, clock }: HeldCommandParts,
  account: AccountName | null,
): Promise<Reply<"held_list">> {
  const found = await onHold(keeper, heldMail, account);
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
  const { engine, keeper, heldMail } = parts;
  const found = await onHold(keeper, heldMail, name);
  if (!found.ok) return unanswered(found.reason);
  if (found.items.length === 0 && !isHeld(heldMail, name)) return nothingHeld(name);
  if (!(await engine.audit({ type: "ACCOUNT_RELEASED", subject: name, by }))) return UNRECORDED;
  const released = await change(keeper, "release_mail", idsOf(found.items));
  if (!released.ok) return unanswered(released.reason);
  return (await engine.audit(null, [forgotten(heldMail, name)]))
    ? { ok: true, result: { name, released: found.items.length } }
    : UNRECORDED;
}

/** What is deleted was not written by the owner, so further mail stays held until `account release`. */
async function drop(parts: HeldCommandParts, name: AccountName, by: string): Promise<Reply<"held_drop">> {
  const { engine, keeper, heldMail } = parts;
  const found = await onHold(keeper, heldMail, name);
  if (!found.ok) return unanswered(found.reason);
  if (found.items.length === 0) return nothingHeld(name);
  const deleted = await change(keeper, "delete_mail", idsOf(found.items));
  if (!deleted.ok) return unanswered(deleted.reason);
  const audit = { type: "HELD_MAIL_DROPPED", subject: name, by } as const;
  const recorded = await engine.audit(audit, [forgotten(heldMail, name)]);
  const result = { name, dropped: found.items.length, isHeld: isHeld(heldMail, name) };
  return recorded ? { ok: true, result } : UNRECORDED;
}

/**
 * What is on hold in Postfix's queue. Of what the guard has noted some may be gone: root can use postsuper(1). What it
 * could not note, because the database took no writes, has the account as envelope sender.
 */
async function onHold(
  keeper: Keeper,
  heldMail: HeldMail,
  account: AccountName | null,
): Promise<Readonly<{ ok: true; items: readonly HeldMailItem[] }> | Failure> {
  const noted = new Map(heldMail.held(account).map((item) => [item.queueId, item]));
  if (account === null && noted.size === 0) return { ok: true, items: [] };
  const found = await find(keeper, account, [...noted.keys()]);
  if (!found.ok) return found;
  const held = found.mails.filter(({ isHeld }) => isHeld);
  return { ok: true, items: held.map((mail) => noted.get(mail.id) ?? unnoted(mail, account ?? "")) };
}

function unnoted({ id, at, recipients }: QueuedMail, account: string): HeldMailItem {
  return { queueId: id, account, at: isoTime(instant(at)), ip: null, recipientCount: recipients, recipients: [] };
}

/** Those of these ids, and those with this account as envelope sender; each once. */
async function find(keeper: Keeper, account: AccountName | null, ids: readonly string[]): Promise<Found> {
  const mails = new Map<string, QueuedMail>();
  for (const some of ids.length === 0 ? [ids] : portions(ids)) {
    const reply = await keeper.ask({ verb: "find_mail", account, ids: some });
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

function forgotten(heldMail: HeldMail, name: AccountName): Change {
  return { type: "FORGET_HELD", queueIds: idsOf(heldMail.held(name)) };
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
