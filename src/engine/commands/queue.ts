import type { AuditType } from "../../core/events/command.ts";
import { isQueueId } from "../../core/events/queue-id.ts";
import { parseAccountName, parseAddress, withoutExtension } from "../../core/net/address.ts";
import { printable } from "../../core/text.ts";
import { instant, isoTime } from "../../core/time.ts";
import type { Command, CommandError, Reply } from "../../wire/control/control.ts";
import type { QueueItem } from "../../wire/control/items.ts";
import { type KeeperCommand, type ListedMail, MAILS_LISTED } from "../../wire/control/keeper.ts";
import { ascending, firstPage } from "../../wire/control/paging.ts";
import { HELD_BY_HAND } from "../admin-ports.ts";
import type { Outcome } from "../ports.ts";
import { type HeldQueueParts, sendersOf, unanswered } from "./held-queue.ts";
import { UNRECORDED } from "./unrecorded.ts";
import { wrongAddress } from "./wrong-address.ts";

export type QueueCommand = Extract<Command, { readonly verb: `queue_${string}` }>;
type ListCommand = Extract<QueueCommand, { readonly verb: "queue_list" }>;
type ChangeCommand = Exclude<QueueCommand, ListCommand>;
type Selection = Omit<Extract<KeeperCommand, { readonly verb: "list_mail" }>, "verb" | "after" | "limit" | "where">;
type After = Extract<KeeperCommand, { readonly verb: "list_mail" }>["after"];
/** A mail that the guard holds is left to `account release` and `account drop`. */
type Holder = (mail: ListedMail) => string | null;

/** So many times 500 mails take some seconds. What is left takes the same command again. */
const ROUNDS = 10;

/** Which mails a command can change at all, what is said if there is none, and its record. */
const KINDS = {
  queue_hold: { where: "loose", none: "No such mail waits in the queue.", audit: "QUEUE_HELD" },
  queue_release: { where: "hold", none: "No such mail is on hold.", audit: "QUEUE_RELEASED" },
  queue_delete: { where: "anywhere", none: "No such mail is in the queue.", audit: "QUEUE_DELETED" },
  queue_flush: { where: "deferred", none: "No such mail waits for another try.", audit: null },
} as const satisfies Record<ChangeCommand["verb"], Readonly<{ where: string; none: string; audit: AuditType | null }>>;

/** Postfix's queue: what waits there, and what root does with it. */
export async function queueCommand(
  parts: HeldQueueParts,
  command: QueueCommand,
  by: string,
): Promise<Reply<QueueCommand["verb"]>> {
  const selection = selectionOf(parts, command);
  if ("ok" in selection) return selection;
  if (command.verb === "queue_list") return list(parts, selection, command);
  const isEmpty = selection.ids.length === 0 && selection.senders.length === 0 && selection.recipient === null;
  if (isEmpty !== command.isAll) return wrong("Either all mail is meant, or some.", "Name the mails, or give --all.");
  return change(parts, { selection, command, by });
}

function selectionOf(parts: HeldQueueParts, command: QueueCommand): Selection | CommandError {
  const { ids, account, sender, recipient } = command;
  const id = ids.find((text) => !isQueueId(text));
  if (id !== undefined) return wrong(`“${printable(id, 40)}” is no queue id.`, "`queue list` shows the queue ids.");
  if (account !== null && sender !== null) return wrong("An account has its senders.", "Give the account or a sender.");
  const name = account === null ? null : parseAccountName(account);
  if (account !== null && name === null) return wrongAddress(account);
  const from = sender === null || sender === "" ? sender : parseAddress(sender);
  if (sender !== null && from === null) return wrongAddress(sender);
  const to = recipient === null ? null : parseAddress(recipient);
  if (recipient !== null && to === null) return wrongAddress(recipient);
  const senders = name === null ? (from === null ? [] : [from]) : sendersOf(parts, name);
  return { ids, senders, recipient: to };
}

async function list(
  parts: HeldQueueParts,
  selection: Selection,
  { limit, cursor }: ListCommand,
): Promise<Reply<"queue_list">> {
  const after = cursor === null ? null : placeOf(cursor);
  if (cursor !== null && after === null)
    return wrong("That is not where a list of the queue ended.", "The list itself prints the cursor.");
  const asked = { verb: "list_mail", ...selection, where: "anywhere", after, limit: limit + 1 } as const;
  const found = await parts.keeper.ask(asked);
  if (!found.ok) return unanswered(found.reason);
  const { queue = [], total = 0 } = found;
  const holder = holderIn(parts);
  const { items, next } = firstPage(queue, limit, ({ at, id }) => `${ascending(at)} ${id}`);
  return { ok: true, result: { mails: items.map((mail) => itemOf(mail, holder)), next, total } };
}

type Change = Readonly<{ selection: Selection; command: ChangeCommand; by: string }>;

/** Some mails at a time, in the order of arrival. */
async function change(parts: HeldQueueParts, asked: Change): Promise<Reply<ChangeCommand["verb"]>> {
  const { selection, command } = asked;
  const { where, none } = KINDS[command.verb];
  const holder = holderIn(parts);
  const kept = new Map<string, number>();
  let [changed, isRecorded, after]: [number, boolean, After] = [0, false, null];
  let isMore = true;
  for (let round = 0; round < ROUNDS && isMore; round++) {
    const found = await parts.keeper.ask({ verb: "list_mail", ...selection, where, after, limit: MAILS_LISTED });
    if (!found.ok) return unanswered(found.reason);
    const { queue = [] } = found;
    const guarded = queue.flatMap((mail) => guardedFor(holder(mail)) ?? []);
    for (const account of guarded) kept.set(account, (kept.get(account) ?? 0) + 1);
    const ids = queue.filter((mail) => guardedFor(holder(mail)) === null).map(({ id }) => id);
    if (ids.length > 0) {
      if (!isRecorded && !(await record(parts, asked))) return UNRECORDED;
      isRecorded = true;
      const done = await carryOut(parts, command, ids);
      if (!done.ok) return unanswered(done.reason);
      changed += done.count;
    }
    after = queue.at(-1) ?? null;
    isMore = queue.length === MAILS_LISTED;
  }
  const result = { changed, kept: [...kept].map(([account, mails]) => ({ account, mails })), isMore };
  if (changed > 0) return { ok: true, result };
  const [account] = kept.keys();
  if (account === undefined) return { ok: false, kind: "failed", message: none, next: "`queue list` shows what is." };
  return {
    ok: false,
    kind: "failed",
    message: `The guard holds this mail of ${account}: nothing was done.`,
    next: `\`account held ${account}\` shows it; \`account release\` sends it, \`account drop\` deletes it.`,
  };
}

type Done = Readonly<{ ok: true; count: number }> | Extract<Outcome, { ok: false }>;

async function carryOut(parts: HeldQueueParts, { verb }: ChangeCommand, ids: readonly string[]): Promise<Done> {
  const { engine, keeper } = parts;
  const reply = await keeper.ask(orderFor(verb, ids));
  if (!reply.ok) return reply;
  const noted =
    verb === "queue_flush" ||
    (await engine.audit(
      null,
      verb === "queue_hold"
        ? ids.map((queueId) => ({ type: "HOLD_MAIL", queueId, ...BY_HAND }) as const)
        : [{ type: "FORGET_HELD", queueIds: ids }],
    ));
  return noted ? { ok: true, count: reply.count ?? 0 } : { ok: false, reason: "The database took no record of it." };
}

/** Whose hold it is: only such mail does `account release` leave alone. */
const BY_HAND = { account: HELD_BY_HAND, ip: null, recipientCount: 0, recipients: [] } as const;

function orderFor(verb: ChangeCommand["verb"], ids: readonly string[]): KeeperCommand {
  switch (verb) {
    case "queue_hold":
      return { verb: "hold_mail", ids };
    case "queue_release":
      return { verb: "release_mail", ids };
    case "queue_delete":
      return { verb: "delete_mail", ids, onHold: false };
    case "queue_flush":
      return { verb: "flush_mail", ids };
  }
}

/** Before anything is done. Tries of delivery are no change, and not recorded. */
async function record({ engine }: HeldQueueParts, { command, by }: Change): Promise<boolean> {
  const type = KINDS[command.verb].audit;
  if (type === null) return true;
  const { ids, account, sender, recipient } = command;
  const words = [
    ...(ids.length > 0
      ? [ids.slice(0, 10).join(" "), ...(ids.length > 10 ? [`and ${ids.length - 10} more`] : [])]
      : []),
    ...(account === null ? [] : [`account ${account}`]),
    ...(sender === null ? [] : [`sender <${sender}>`]),
    ...(recipient === null ? [] : [`recipient <${recipient}>`]),
  ];
  return engine.audit({
    type,
    subject: words.join(" ") || "all mail in the queue",
    by,
    ...(account === null ? {} : { account }),
    ...(sender === null ? {} : { sender }),
    ...(recipient === null ? {} : { recipient }),
    ...(ids.length === 1 && ids[0] !== undefined ? { queueId: ids[0] } : {}),
  });
}

/**
 * For whom a mail is on hold: as noted. What the guard could not note, because the database took no writes, has an address of
 * a held account as envelope sender.
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
  const { id, at, nextTryAt, ...told } = mail;
  const next = nextTryAt === null ? null : isoTime(instant(nextTryAt));
  return { queueId: id, ...told, heldFor: holder(mail), at: isoTime(instant(at)), nextTryAt: next };
}

function placeOf(cursor: string): After {
  const [, at, id = ""] = /^(\d{16}) ([0-9A-Za-z]{5,20})$/.exec(cursor) ?? [];
  return at === undefined ? null : { at: Number(at), id };
}

function wrong(message: string, next: string): CommandError {
  return { ok: false, kind: "usage", message, next };
}
