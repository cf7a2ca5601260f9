import type { AuditType } from "../../../core/events/audit-types.ts";
import { isQueueId } from "../../../core/events/queue-id.ts";
import { parseAccountName, parseAddress } from "../../../core/net/address.ts";
import { printable } from "../../../core/text.ts";
import type { Command, CommandError } from "../../../wire/control/control.ts";
import { type KeeperCommand, MAILS_BESIDE } from "../../../wire/control/keeper.ts";
import { wrongAddress } from "../wrong-address.ts";
import { type HeldQueueParts, sendersOf, sentIds } from "./held-queue.ts";

/** Which mails of Postfix's queue a command means. */

export type QueueCommand = Extract<Command, { readonly verb: `queue_${string}` }>;
export type ListCommand = Extract<QueueCommand, { readonly verb: "queue_list" }>;
export type ChangeCommand = Exclude<QueueCommand, ListCommand>;
type ListMail = Extract<KeeperCommand, { readonly verb: "list_mail" }>;
export type Selection = Omit<ListMail, "verb" | "after" | "limit" | "where">;
export type Where = ListMail["where"];

/** Which mails a command can change, the message if there are none, and its record. */
export const KINDS = {
  queue_hold: { where: "loose", none: "No such mail waits in the queue.", audit: "QUEUE_HELD" },
  queue_release: { where: "hold", none: "No such mail is on hold.", audit: "QUEUE_RELEASED" },
  queue_delete: { where: "anywhere", none: "No such mail is in the queue.", audit: "QUEUE_DELETED" },
  queue_return: { where: "anywhere", none: "No such mail is in the queue.", audit: "QUEUE_DELETED" },
  queue_flush: { where: "deferred", none: "No such mail waits for another try.", audit: null },
} as const satisfies Record<ChangeCommand["verb"], Readonly<{ where: string; none: string; audit: AuditType | null }>>;

export function selectionOf(parts: HeldQueueParts, command: QueueCommand): Selection | CommandError {
  const { ids, account, sender, recipient } = command;
  const id = ids.find((text) => !isQueueId(text));
  if (id !== undefined) return wrong(`“${printable(id, 40)}” is not a queue id.`, "`queue list` shows the queue ids.");
  if (account !== null && sender !== null) return wrong("An account has its senders.", "Give the account or a sender.");
  const name = account === null ? null : parseAccountName(account);
  if (account !== null && name === null) return wrongAddress(account);
  const from = sender === null || sender === "" ? sender : parseAddress(sender);
  if (sender !== null && from === null) return wrongAddress(sender);
  const to = recipient === null ? null : parseAddress(recipient);
  if (recipient !== null && to === null) return wrongAddress(recipient);
  if (name === null) return { ids, senders: from === null ? [] : [from], recipient: to };
  const sent = sentIds(parts, name).slice(0, MAILS_BESIDE);
  return { ids, ...(sent.length === 0 ? {} : { beside: sent }), senders: sendersOf(parts, name), recipient: to };
}

/** Where the command searches; null if it cannot be done to mail that waits there. */
export function whereOf({ verb, state }: ChangeCommand): Where | null {
  const { where } = KINDS[verb];
  if (state === undefined || state === where) return where;
  return where === "anywhere" || (where === "loose" && state !== "hold") ? state : null;
}

export function wrong(message: string, next: string): CommandError {
  return { ok: false, kind: "usage", message, next };
}
