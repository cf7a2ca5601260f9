import type { SQLInputValue } from "node:sqlite";
import type { EventColumns } from "../../../core/events/columns.ts";
import { type EventRecord, sentenceOf } from "../../../core/events/record.ts";
import { COUNTS_CODE } from "../columns.ts";

/** The columns of `event`, in the order of a record's values. */
const COLUMNS = [
  "at",
  "type",
  "service",
  "ip",
  "prefix",
  "account",
  "sender",
  "recipient",
  "queue_id",
  "message_id",
  "helo",
  "size_bytes",
  "verdict",
  "reason",
  "offence",
  "counts",
  "count",
  "limit_count",
  "window_ms",
  "limit_key",
  "actor",
  "proof",
  "rest",
  // For people only: the text as written then; later versions do not change it.
  "details",
  "action",
] as const;

export const EVENT_COLUMNS = COLUMNS.join(", ");
export const INSERT_EVENT = `INSERT INTO event (${EVENT_COLUMNS}) VALUES (${COLUMNS.map(() => "?").join(", ")})`;

export function valuesOf(record: EventRecord): readonly SQLInputValue[] {
  const { details, action } = sentenceOf(record);
  return [
    record.at,
    record.type,
    record.service,
    record.ip,
    record.prefix,
    record.account,
    record.sender,
    record.recipient,
    record.queueId,
    record.messageId,
    record.helo,
    record.sizeBytes,
    record.verdict,
    record.reason,
    record.offence,
    codeOf(record.counts),
    record.count,
    record.limit,
    record.windowMs,
    record.limitKey,
    record.actor,
    record.proof,
    JSON.stringify(record.rest),
    details,
    action,
  ];
}

function codeOf(counts: EventColumns["counts"]): number {
  return counts === null ? 0 : COUNTS_CODE[counts];
}
