import type { DatabaseSync } from "node:sqlite";
import type { HeldAccountItem, HeldMailItem, SentMailItem } from "../../admin/held.ts";
import { auditedHold } from "../../core/audit/audited.ts";
import type { Change } from "../../core/decide/decision.ts";
import type { AccountName } from "../../core/net/address.ts";
import { DAY_MS, isoTime, type Millis } from "../../core/time.ts";
import { HELD_BY_HAND, type HeldCount, type HeldMail } from "../../guard/admin-ports.ts";
import { COUNTS_CODE, integer, millis, text, textOrNull } from "../columns.ts";
import { AuditChain } from "../events/audit.ts";
import { type Prepared, type Prepares, prepared } from "../transactions.ts";
import { CORRESPOND } from "./store-statements.ts";

export type HoldChange = Extract<
  Change,
  { type: "HOLD_ACCOUNT" | "END_HOLD" | "DISOWN_HOLD" | "HOLD_MAIL" | "FORGET_HELD" | "NOTE_REFUSAL" }
>;

/** Longer than `limits.sending.refused` counts. */
const REFUSALS_KEPT_MS = DAY_MS;

/** Accounts whose mail is held, that mail, and the refusals that may cause a hold. Uses the guard's own connection to `engine.db`. */
export class AccountHolds {
  readonly #sql: Prepared<typeof HOLD_SQL>;
  readonly #audit: AuditChain;

  constructor(db: DatabaseSync) {
    this.#audit = new AuditChain(db);
    this.#sql = prepared(db, HOLD_SQL);
  }

  apply(change: HoldChange, at: Millis): void {
    const sql = this.#sql;
    switch (change.type) {
      case "HOLD_ACCOUNT": {
        const { account, prefix, ip, evidence } = change;
        sql.begin.run(account, at, prefix, ip, evidence.count, evidence.limit, evidence.windowMs, evidence.key);
        this.#audit.add(auditedHold(change, at));
        return;
      }
      case "END_HOLD":
        sql.end.run(at, change.account);
        for (const row of sql.recipients.all(change.account))
          for (const address of text(row["recipients"]).split(" "))
            if (address !== "") sql.correspond.run(address, change.account, at);
        return;
      case "DISOWN_HOLD":
        sql.disown.run(at, change.account);
        return;
      case "HOLD_MAIL": {
        const { queueId, account, ip, recipientCount, recipients } = change;
        // A quoted local part may contain blanks, which would split it into other addresses (RFC 5321, 4.1.2).
        const plain = recipients.filter((address) => !address.includes(" "));
        sql.holdMail.run(queueId, account, at, ip, recipientCount, plain.join(" "));
        return;
      }
      case "NOTE_REFUSAL":
        sql.endRefusals.run(at - REFUSALS_KEPT_MS);
        sql.refuse.run(change.account, at);
        return;
      case "FORGET_HELD":
        for (const queueId of change.queueIds) sql.forget.run(queueId);
        return;
    }
  }
}

const HOLD_SQL = {
  begin: `
    INSERT OR IGNORE INTO account_hold (account, at, prefix, ip, count, limit_count, window_ms, limit_key)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  end: "UPDATE account_hold SET released_at = ? WHERE account = ? AND released_at IS NULL",
  disown: "UPDATE account_hold SET dropped_at = ? WHERE account = ? AND released_at IS NULL",
  recipients: "SELECT recipients FROM held_mail WHERE account = ?",
  correspond: CORRESPOND,
  holdMail: `
    INSERT OR REPLACE INTO held_mail (queue_id, account, at, ip, recipient_count, recipients) VALUES (?, ?, ?, ?, ?, ?)`,
  endRefusals: "DELETE FROM refusal WHERE at < ?",
  refuse: "INSERT INTO refusal (account, at, count) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
  forget: "DELETE FROM held_mail WHERE queue_id = ?",
};

const MOST = 2_000;
const MOST_NAMED = 5;

/** Held accounts and their mail, for the administrator's commands. */
export class SqliteHeldMail implements HeldMail {
  readonly #sql: Prepared<typeof SQL>;

  constructor(db: Prepares) {
    this.#sql = prepared(db, SQL);
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

const SQL = {
  accounts: "SELECT * FROM account_hold WHERE released_at IS NULL ORDER BY at DESC LIMIT ?",
  held: `
    SELECT * FROM held_mail WHERE account = ?1 OR (?1 IS NULL AND account <> '${HELD_BY_HAND}')
    ORDER BY at DESC, queue_id LIMIT ?2`,
  counts: `
    SELECT account, count(*) AS mails, min(at) AS since FROM held_mail WHERE account <> '${HELD_BY_HAND}'
    GROUP BY account ORDER BY account LIMIT ?`,
  holder: "SELECT account FROM held_mail WHERE queue_id = ?",
  noted: "SELECT queue_id FROM held_mail WHERE queue_id > ? AND at < ? ORDER BY queue_id LIMIT ?",
  sent: `
    SELECT e.at, e.ip, e.queue_id, e.recipient, coalesce(json_extract(e.rest, '$.recipientCount'), 1) AS recipients
    FROM event_by_subject AS s JOIN event AS e ON e.id = s.id
    WHERE s.subject = ? AND s.counts = ${COUNTS_CODE.account_mail} AND s.at > ? AND e.verdict = 'pass'
      AND NOT EXISTS (SELECT 1 FROM held_mail WHERE queue_id = e.queue_id)
    ORDER BY s.at DESC, s.id DESC LIMIT ?`,
};
