import type { DatabaseSync } from "node:sqlite";
import { integer, text, textOrNull } from "../columns.ts";
import { parseOldSentence } from "./old-sentences.ts";

/** Rows held in memory at once. */
const BATCH = 2_000;

/**
 * Fills the columns of events that an older version wrote, from their sentences. A sentence that can be read in two
 * ways, because a stranger's text looks like ours, keeps only its text.
 */
export function carryOver(db: DatabaseSync): void {
  const next = db.prepare("SELECT id, type, reason, details, action FROM event WHERE id > ? ORDER BY id LIMIT ?");
  const fill = db.prepare(`
    UPDATE event SET service = ?, account = coalesce(account, ?), sender = ?, recipient = ?, queue_id = ?, message_id = ?,
      helo = ?, size_bytes = ?, verdict = ?, offence = ?, actor = ? WHERE id = ?`);
  for (let last = 0; ; ) {
    const rows = next.all(last, BATCH);
    for (const row of rows) {
      last = integer(row["id"]);
      const told = parseOldSentence({
        type: text(row["type"]),
        reason: textOrNull(row["reason"]),
        details: text(row["details"]),
        action: text(row["action"]),
      });
      const { service, account, sender, recipient, queueId, messageId, helo, sizeBytes, verdict, offence, actor } =
        told;
      const names = [service, account, sender, recipient, queueId, messageId, helo].map((name) => name ?? null);
      fill.run(...names, sizeBytes ?? null, verdict ?? null, offence ?? null, actor ?? null, last);
    }
    if (rows.length < BATCH) return;
  }
}
