import { isQueueId } from "../../core/events/queue-id.ts";
import { isObject, parseJson } from "../control/fields.ts";

/** A mail in Postfix's queue, as `postqueue -j` prints it (postqueue(1), "JSON object format"). */
export type QueueEntry = Readonly<{
  id: string;
  isHeld: boolean;
  /** When it arrived. Milliseconds. */
  at: number;
  /** Envelope sender. */
  sender: string;
  /** Recipients that are left. */
  recipients: number;
}>;

/** Null for what is no entry. */
export function parseQueueEntry(line: string): QueueEntry | null {
  const json = parseJson(line);
  if (!isObject(json)) return null;
  const { queue_name: queue, queue_id: id, arrival_time: arrival, sender, recipients } = json;
  if (typeof queue !== "string" || typeof id !== "string" || !isQueueId(id)) return null;
  if (typeof arrival !== "number" || typeof sender !== "string" || !Array.isArray(recipients)) return null;
  return { id, isHeld: queue === "hold", at: arrival * 1_000, sender, recipients: recipients.length };
}
