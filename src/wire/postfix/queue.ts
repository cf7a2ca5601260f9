import { isQueueId } from "../../core/events/queue-id.ts";
import { isObject, parseJson } from "../control/fields.ts";

/** Where a mail waits: deferred, on hold, or being delivered now (qmgr(8)). */
export const QUEUE_STATES = ["deferred", "hold", "active"] as const;

/** A mail in Postfix's queue, as `postqueue -j` prints it (postqueue(1), "JSON object format"). */
export type QueueEntry = Readonly<{
  id: string;
  /** The queue of Postfix: incoming, active, deferred, hold, or maildrop (qmgr(8)). */
  queue: string;
  /** When it arrived. Milliseconds. */
  at: number;
  sizeBytes: number;
  /** Envelope sender; empty for a bounce or a vacation reply. */
  sender: string;
  /** Those that are left. `reason`: why the last try failed. */
  recipients: readonly Readonly<{ address: string; reason: string | null }>[];
}>;

/** So postqueue(1) shows the empty sender. */
const NULL_SENDER = "MAILER-DAEMON";

/** Null for an invalid entry. */
export function parseQueueEntry(line: string): QueueEntry | null {
  const json = parseJson(line);
  if (!isObject(json)) return null;
  const { queue_name: queue, queue_id: id, arrival_time: arrival, sender, recipients, message_size: size } = json;
  if (typeof queue !== "string" || typeof id !== "string" || !isQueueId(id)) return null;
  if (typeof arrival !== "number" || typeof sender !== "string" || !Array.isArray(recipients)) return null;
  return {
    id,
    queue,
    at: arrival * 1_000,
    sizeBytes: typeof size === "number" ? size : 0,
    sender: sender === NULL_SENDER ? "" : sender,
    recipients: recipients.flatMap((one) => recipientOf(one) ?? []),
  };
}

function recipientOf(json: unknown): QueueEntry["recipients"][number] | null {
  if (!isObject(json) || typeof json["address"] !== "string") return null;
  const { address, delay_reason: reason } = json;
  return { address, reason: typeof reason === "string" && reason !== "" ? reason : null };
}
