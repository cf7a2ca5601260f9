import type { CommandError, ParsedCommand, Reply } from "../../../admin/declare/control.ts";
import { type KeeperCommand, type ListedMail, MAILS_BESIDE, MAILS_LISTED } from "../../../admin/declare/keeper.ts";
import { ascending, firstPage } from "../../../admin/declare/paging.ts";
import type { QueueItem } from "../../../admin/queue.ts";
import type { AuditType } from "../../../core/events/event-types.ts";
import { parseAccountName, withoutExtension } from "../../../core/net/address.ts";
import { instant, isoTime, isoTimeOrNull } from "../../../core/time.ts";
import { HELD_BY_HAND } from "../../admin-ports.ts";
import { UNWRITTEN } from "../record-first.ts";
import { failed, usage } from "../refusals.ts";
import {
  changeFault,
  type HeldQueueParts,
  NO_RECORD,
  type QueueFailure,
  type Share,
  sendersOf,
  sentIds,
  unanswered,
} from "./held-queue.ts";

/** The commands on Postfix's queue: which mails they mean, and what they do to them. */

type QueueCommand = Extract<ParsedCommand, { readonly verb: `queue_${string}` }>;
type ListCommand = Extract<QueueCommand, { readonly verb: "queue_list" }>;
type ChangeCommand = Exclude<QueueCommand, ListCommand>;
type ListMail = Extract<KeeperCommand, { readonly verb: "list_mail" }>;
type Selection = Omit<ListMail, "verb" | "after" | "limit" | "where">;
type Where = ListMail["where"];
type After = ListMail["after"];

const REMOVAL = { where: "anywhere", none: "No such mail is in the queue.", audit: "QUEUE_DELETED" } as const;
/** Which mails a command can change, the message if there are none, the keeper's verb, and the record. */
const KINDS = {
  queue_hold: { where: "loose", none: "No such mail waits in the queue.", order: "hold_mail", audit: "QUEUE_HELD" },
  queue_release: { where: "hold", none: "No such mail is on hold.", order: "release_mail", audit: "QUEUE_RELEASED" },
  queue_delete: { ...REMOVAL, order: "delete_mail" },
  queue_return: { ...REMOVAL, order: "return_mail" },
  queue_flush: { where: "deferred", none: "No such mail waits for another try.", order: "flush_mail", audit: null },
} as const satisfies Record<
  ChangeCommand["verb"],
  Readonly<{ where: string; none: string; order: KeeperCommand["verb"]; audit: AuditType | null }>
>;

function selectionOf(parts: HeldQueueParts, command: QueueCommand): Selection | CommandError {
  const { ids, account, sender, recipient } = command;
  if (account !== null && sender !== null)
    return usage("An account already includes its sender addresses.", "Give the account or a sender.");
  if (account === null) return { ids, senders: sender === null ? [] : [sender], isExact: true, recipient };
  const sent = sentIds(parts, account).slice(0, MAILS_BESIDE);
  return { ids, ...(sent.length === 0 ? {} : { beside: sent }), senders: sendersOf(parts, account), recipient };
}

/** Where the command searches; null if it cannot be done to mail that waits there. */
function whereOf({ verb, state }: ChangeCommand): Where | null {
  const { where } = KINDS[verb];
  if (state === undefined || state === where) return where;
  return where === "anywhere" || (where === "loose" && state !== "hold") ? state : null;
}

/** Names the account for which a mail is on hold; null: none. Mail that the guard holds is left to `account release` and `account drop`. */
type Holder = (mail: ListedMail) => string | null;

/** Rounds of 500 mails each, which take some seconds. The next command handles the rest. */
const QUEUE_ROUNDS = 10;
/** postqueue(1) takes some milliseconds for each mail, and a command must end within the 30 s of the command line, or 10 s of the web. */
const MAILS_FLUSHED = 200;

/** Postfix's queue: the waiting mail, and what root and administrators do with it. */
async function queueCommand(
  parts: HeldQueueParts,
  command: QueueCommand,
  by: string,
  { share }: Readonly<{ share: Share }>,
): Promise<Reply<QueueCommand["verb"]>> {
  const selection = selectionOf(parts, command);
  if ("ok" in selection) return selection;
  if (command.verb === "queue_list") return list(parts, selection, command);
  const isEmpty = selection.ids.length === 0 && selection.senders.length === 0 && selection.recipient === null;
  if (isEmpty !== command.isAll)
    return usage("Choose either some mails or all of them.", "Name the mails, or give --all.");
  const where = whereOf(command);
  if (where === null) return nothingThere(KINDS[command.verb].none);
  return isEmpty && command.verb === "queue_flush" && command.cursor === null && command.until === undefined
    ? flushAll(parts, selection)
    : changeQueue(parts, { selection, command, where, by, share });
}

export const QUEUE_RUNS = {
  queue_list: queueCommand,
  queue_hold: queueCommand,
  queue_release: queueCommand,
  queue_delete: queueCommand,
  queue_return: queueCommand,
  queue_flush: queueCommand,
};

/** Retries all mail with a single order to Postfix. */
async function flushAll(parts: HeldQueueParts, selection: Selection): Promise<Reply<"queue_flush">> {
  const { where, none } = KINDS.queue_flush;
  const found = await parts.keeper.ask({ verb: "list_mail", ...selection, where, after: null, limit: 1 });
  if (!found.ok) return unanswered(found.reason);
  if (!found.total) return nothingThere(none);
  const done = await parts.keeper.ask({ verb: "flush_mail", ids: [] });
  return done.ok ? { ok: true, result: { changed: found.total, kept: [], next: null } } : changeFault(done);
}

async function list(parts: HeldQueueParts, selection: Selection, command: ListCommand): Promise<Reply<"queue_list">> {
  const { limit, cursor, state } = command;
  const after = parseCursor(cursor);
  if (after === undefined) return INVALID_CURSOR;
  const asked = { verb: "list_mail", ...selection, where: state ?? "anywhere", after, limit: limit + 1 } as const;
  const found = await parts.keeper.ask(asked);
  if (!found.ok) return unanswered(found.reason);
  const holder = holderIn(parts);
  const { items, next } = firstPage(found.queue ?? [], limit, cursorOf);
  const { total = 0, newest = 0 } = found;
  const newestAt = newest > 0 && { newestAt: isoTime(instant(newest)) };
  return { ok: true, result: { items: items.map((mail) => itemOf(mail, holder)), next, total, ...newestAt } };
}

type QueueChangeAsked = Readonly<{
  selection: Selection;
  command: ChangeCommand;
  where: Where;
  by: string;
  share: Share;
}>;

/**
 * Changes some mails at a time, in the order of arrival, after the cursor. If a later part fails, it returns what it has changed, and the
 * next command, which continues from there, reports the failure.
 */
async function changeQueue(parts: HeldQueueParts, asked: QueueChangeAsked): Promise<Reply<ChangeCommand["verb"]>> {
  const { selection, command, where, share } = asked;
  const { none } = KINDS[command.verb];
  const latest = command.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(command.until);
  const holder = holderIn(parts);
  const kept = new Map<string, number>();
  const from = parseCursor(command.cursor);
  if (from === undefined) return INVALID_CURSOR;
  let after: After = from;
  let changed = 0;
  let isRecorded = false;
  let isMore = true;
  const isFlush = command.verb === "queue_flush";
  const rounds = isFlush ? 1 : Math.min(QUEUE_ROUNDS, share.rounds);
  const limit = isFlush ? MAILS_FLUSHED : MAILS_LISTED;
  const most = shareOf(command.verb, share);
  /** Whether the share was used up within this page. The next command then continues after the last mail taken. */
  let isCut = false;
  for (let round = 0; round < rounds && isMore && !isCut; round++) {
    const found = await parts.keeper.ask({ verb: "list_mail", ...selection, where, after, limit });
    if (!found.ok && changed > 0) break;
    if (!found.ok) return unanswered(found.reason);
    const queue = (found.queue ?? []).filter(({ at }) => at <= latest);
    const held = queue.map((mail) => ({ mail, account: guardedFor(holder(mail)) }));
    for (const { account } of held) if (account !== null) kept.set(account, (kept.get(account) ?? 0) + 1);
    const free = held.filter(({ account }) => account === null).map(({ mail }) => mail);
    const taken = free.slice(0, most(free.length));
    isCut = taken.length < free.length;
    const ids = taken.map(({ id }) => id);
    if (ids.length > 0) {
      if (!isRecorded && !(await record(parts, asked, ids))) return UNWRITTEN;
      isRecorded = true;
      const done = await sendOrder(parts, command, ids);
      if (!done.ok && changed > 0) break;
      if (!done.ok) return changeFault(done);
      changed += done.count;
    }
    after = (isCut ? taken : queue).at(-1) ?? after;
    isMore = isCut || queue.length === limit;
  }
  if (from === null && changed === 0 && kept.size === 0) return nothingThere(none);
  const next = isMore && after !== null ? cursorOf(after) : null;
  return { ok: true, result: { changed, kept: [...kept].map(([account, mails]) => ({ account, mails })), next } };
}

function shareOf(verb: ChangeCommand["verb"], { deletes, releases }: Share): (mails: number) => number {
  if (verb === "queue_release") return releases;
  return verb === "queue_delete" || verb === "queue_return" ? deletes : (mails) => mails;
}

function nothingThere(message: string): CommandError {
  return failed(message, "`queue list` shows what is.");
}

type Done = Readonly<{ ok: true; count: number }> | QueueFailure;

async function sendOrder(parts: HeldQueueParts, { verb }: ChangeCommand, ids: readonly string[]): Promise<Done> {
  const { engine, keeper } = parts;
  if (verb === "queue_hold") {
    // Notes come first, because the guard would take mail on hold without a note for mail that it holds itself.
    const held = ids.map((queueId) => ({ type: "HOLD_MAIL", queueId, ...BY_HAND }) as const);
    if (!(await engine.audit(null, held))) return NO_RECORD;
  }
  const reply = await keeper.ask(
    verb === "queue_delete" ? { verb: "delete_mail", ids, onHold: false } : { verb: KINDS[verb].order, ids },
  );
  if (!reply.ok) return reply;
  // Notes of mail that is not on hold are removed later (`forgetGone`).
  if (verb !== "queue_hold" && verb !== "queue_flush")
    await engine.audit(null, [{ type: "FORGET_HELD", queueIds: ids }]);
  return { ok: true, count: reply.count ?? 0 };
}

/** Marks holds by hand: `account release` leaves such mail on hold. */
const BY_HAND = { account: HELD_BY_HAND, ip: null, recipientCount: 0, recipients: [] } as const;

/** Call it before the change, with the first mails that it changes. Delivery retries change nothing, and are not recorded. */
async function record({ engine }: HeldQueueParts, { command, by }: QueueChangeAsked, changed: readonly string[]) {
  const type = KINDS[command.verb].audit;
  if (type === null) return true;
  const { ids, account, sender, recipient, state, verb } = command;
  const words = [
    ...ids.slice(0, 10),
    ...(ids.length > 10 ? [`and ${ids.length - 10} more`] : []),
    ...(account === null ? [] : [`account ${account}`]),
    ...(sender === null ? [] : [`sender <${sender}>`]),
    ...(recipient === null ? [] : [`recipient <${recipient}>`]),
    ...(state === undefined ? [] : [`state ${state}`]),
  ];
  const [only, ...others] = changed;
  return engine.audit({
    type,
    subject: `${words.join(" ") || "all mail in the queue"}${verb === "queue_return" ? ", returned to its senders" : ""}`,
    by,
    ...(account !== null && { account }),
    ...(sender !== null && { sender }),
    ...(recipient !== null && { recipient }),
    ...(only !== undefined && others.length === 0 ? { queueId: only } : { queueIds: changed }),
  });
}

/**
 * The account for which a mail is on hold, from the guard's notes. A mail held without a note, because the database could not be
 * written, has an address of a held account as envelope sender.
 */
function holderIn(parts: HeldQueueParts): Holder {
  const { heldMail } = parts;
  let senders: ReadonlyMap<string, string> | null = null;
  return ({ id, queue, sender }) => {
    if (queue !== "hold") return null;
    const noted = heldMail.holderOf(id);
    if (noted !== null) return noted;
    senders ??= new Map(
      heldMail.accounts().flatMap(({ account }) => {
        const name = parseAccountName(account);
        return name === null ? [] : sendersOf(parts, name).map((address) => [address, account] as const);
      }),
    );
    const from = sender.toLowerCase();
    return senders.get(from) ?? senders.get(withoutExtension(from)) ?? null;
  };
}

function guardedFor(holder: string | null): string | null {
  return holder === HELD_BY_HAND ? null : holder;
}

function itemOf(mail: ListedMail, holder: Holder): QueueItem {
  const { id, at, nextTryAt, ...others } = mail;
  const next = isoTimeOrNull(nextTryAt);
  return { queueId: id, ...others, heldFor: holder(mail), at: isoTime(instant(at)), nextTryAt: next };
}

function cursorOf({ at, id }: NonNullable<After>): string {
  return `${ascending(at)} ${id}`;
}

const INVALID_CURSOR = usage("This cursor is not from a list of the queue.", "The list prints the cursor.");

/** Null: from the start. Undefined: the cursor is invalid. */
function parseCursor(cursor: string | null): After | undefined {
  if (cursor === null) return null;
  const [, at, id = ""] = /^(\d{16}) ([0-9A-Za-z]{5,23})$/.exec(cursor) ?? [];
  return at === undefined ? undefined : { at: Number(at), id };
}
