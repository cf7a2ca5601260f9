import type { StatementSync } from "node:sqlite";
import type { AccountName } from "../../../core/net/address.ts";
import { isoTime, type Millis } from "../../../core/time.ts";
import { HELD_BY_HAND, type HeldCount, type HeldMail } from "../../../engine/admin-ports.ts";
import type { HeldAccountItem, HeldMailItem, SentMailItem } from "../../../wire/verbs/held.ts";
import type { Prepares } from "../between-transactions.ts";
import { COUNTS_CODE, integer, millis, text, textOrNull } from "../columns.ts";

const MOST = 2_000;
const MOST_NAMED = 5;

/** Held accounts and their mail, for the administrator's commands. */
export class SqliteHeldMail implements HeldMail {
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: Prepares) {
    this.#sql = statements((sql) => db.prepare(sql));
  }

  accounts(): readonly HeldAccountItem[] {
    return this.#sql.accounts.all(MOST).map((row) => ({
      account: text(row["account"]),
      at: isoTime(millis(row["at"])),
      ip: text(row["ip"]),
      count: integer(row["count"]),
      limit: integer(row["limit_count"]),
      windowMs: integer(row["window_ms"]),
      key: text(row["limit_key"]),
    }));
  }

  held(account: AccountName | null): readonly HeldMailItem[] {
    return this.#sql.held.all(account, MOST).map((row) => ({
      queueId: text(row["queue_id"]),
      account: text(row["account"]),
      at: isoTime(millis(row["at"])),
      ip: textOrNull(row["ip"]),
      recipientCount: integer(row["recipient_count"]),
      recipients: text(row["recipients"]).split(" ").filter(Boolean).slice(0, MOST_NAMED),
    }));
  }

  counts(): readonly HeldCount[] {
    return this.#sql.counts.all(MOST).map((row) => ({
      account: text(row["account"]),
      mails: integer(row["mails"]),
      since: isoTime(millis(row["since"])),
    }));
  }

  noted(after: string, before: Millis, most: number): readonly string[] {
    return this.#sql.noted.all(after, before, most).map((row) => text(row["queue_id"]));
  }

  holderOf(queueId: string): string | null {
    return textOrNull(this.#sql.holder.get(queueId)?.["account"] ?? null);
  }

  sent(account: AccountName, since: Millis): readonly SentMailItem[] {
    return this.#sql.sent.all(account, since, MOST).map((row) => ({
      queueId: textOrNull(row["queue_id"]),
      at: isoTime(millis(row["at"])),
      ip: text(row["ip"]),
      recipientCount: integer(row["recipients"]),
      recipient: textOrNull(row["recipient"]),
    }));
  }
}

function statements(sql: (text: string) => StatementSync) {
  return {
    accounts: sql("SELECT * FROM account_hold WHERE released_at IS NULL ORDER BY at DESC LIMIT ?"),
    held: sql(`
      SELECT * FROM held_mail WHERE account = ?1 OR (?1 IS NULL AND account <> '${HELD_BY_HAND}')
      ORDER BY at DESC, queue_id LIMIT ?2`),
    counts: sql(`
      SELECT account, count(*) AS mails, min(at) AS since FROM held_mail WHERE account <> '${HELD_BY_HAND}'
      GROUP BY account ORDER BY account LIMIT ?`),
    holder: sql("SELECT account FROM held_mail WHERE queue_id = ?"),
    noted: sql("SELECT queue_id FROM held_mail WHERE queue_id > ? AND at < ? ORDER BY queue_id LIMIT ?"),
    sent: sql(`
      SELECT e.at, e.ip, e.queue_id, e.recipient, coalesce(json_extract(e.rest, '$.recipientCount'), 1) AS recipients
      FROM event_by_subject AS s JOIN event AS e ON e.id = s.id
      WHERE s.subject = ? AND s.counts = ${COUNTS_CODE.account_mail} AND s.at > ? AND e.verdict = 'pass'
      ORDER BY s.at DESC, s.id DESC LIMIT ?`),
  };
}
