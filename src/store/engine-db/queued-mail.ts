import type { DatabaseSync } from "node:sqlite";
import type { WaitingRecipient } from "../../core/events/log.ts";
import { NAME_ROLE, rowReader, text, textOrNull } from "../columns.ts";

/** How many of a mail's newest events are read. They include its last delivery attempts, even for a thousand recipients. */
const MOST_EVENTS = 2_000;

/** Finds the recipients for whom a mail still waits in Postfix's queue, by the log of its delivery attempts. */
export function sqliteQueuedMail(db: DatabaseSync) {
  const tries = db.prepare(`
    WITH own (id) AS (
      SELECT id FROM (
        SELECT id FROM event_name WHERE role = ${NAME_ROLE.queueId} AND name = ?1 ORDER BY id DESC LIMIT ${MOST_EVENTS})
      UNION SELECT id FROM event WHERE id > (SELECT names FROM event_indexed) AND queue_id = ?1)
    SELECT type, recipient, rest ->> '$.alias' AS alias, rest ->> '$.relay' AS relay FROM event
    WHERE id IN (SELECT id FROM own) AND (type = 'EMAIL_QUEUED' OR rest ->> '$.event' = 'MAIL_TRIED') ORDER BY id DESC`);
  return (queueId: string): readonly WaitingRecipient[] => {
    const found = new Map<string, { type: string; alias: string | null; relay: string }>();
    for (const row of tries.iterate(queueId)) {
      const { type, recipient, alias, relay } = tryRow(row);
      // Postfix reuses queue ids: older events belong to a different mail.
      if (type === "EMAIL_QUEUED" || recipient === null) break;
      const last = found.getOrInsert(recipient, { type, alias, relay: relay ?? "" });
      // error(8) delivers nothing: it defers mail for a destination that failed a moment ago.
      if (last.relay.startsWith("error ")) last.relay = relay ?? "";
    }
    const waiting = [...found].filter(([, { type }]) => type === "EMAIL_DELAYED");
    return waiting.map(([recipient, { alias, relay }]) => ({ recipient, alias, relay }));
  };
}

const tryRow = rowReader({ type: text, recipient: textOrNull, alias: textOrNull, relay: textOrNull });
