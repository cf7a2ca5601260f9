import type { DatabaseSync, StatementSync } from "node:sqlite";
import { auditedHold } from "../../../core/audit/audited.ts";
import type { Change } from "../../../core/decide/decision.ts";
import { DAY_MS, instant, type Millis } from "../../../core/time.ts";
import type { HoldState } from "../../../engine/storage-ports.ts";
import { integer, millis, text } from "../columns.ts";
import { AuditChain } from "./audit-chain.ts";

export type HoldChange = Extract<
  Change,
  { type: "HOLD_ACCOUNT" | "END_HOLD" | "DISOWN_HOLD" | "HOLD_MAIL" | "FORGET_HELD" | "NOTE_REFUSAL" }
>;

const NEVER: HoldState = { evidence: null, vouchedAt: instant(0) };

/** Longer than `limits.sending.refused` counts. */
const REFUSALS_KEPT_MS = DAY_MS;

/** Accounts whose mail is held, that mail, and the refusals that may cause a hold. Uses the guard's own connection to `engine.db`. */
export class AccountHolds {
  readonly #sql: ReturnType<typeof statements>;
  readonly #audit: AuditChain;

  constructor(db: DatabaseSync) {
    this.#audit = new AuditChain(db);
    this.#sql = statements((sql) => db.prepare(sql));
  }

  of(account: string): HoldState {
    const row = this.#sql.hold.get(account);
    if (row === undefined) return NEVER;
    const { count, vouched_at: vouchedAt } = row;
    const vouched = vouchedAt === null ? NEVER.vouchedAt : millis(vouchedAt);
    if (count === null) return { evidence: null, vouchedAt: vouched };
    const { limit_count: limit, window_ms: windowMs, limit_key: key } = row;
    const evidence = { count: integer(count), limit: integer(limit), windowMs: integer(windowMs), key: text(key) };
    return { evidence, vouchedAt: vouched };
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

function statements(sql: (text: string) => StatementSync) {
  return {
    hold: sql(`
      SELECT iif(released_at IS NULL, count, NULL) AS count, limit_count, window_ms, limit_key,
        (SELECT max(released_at) FROM account_hold WHERE account = ?1) AS vouched_at
      FROM account_hold WHERE account = ?1 ORDER BY released_at IS NULL DESC LIMIT 1`),
    begin: sql(`
      INSERT OR IGNORE INTO account_hold (account, at, prefix, ip, count, limit_count, window_ms, limit_key)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    end: sql("UPDATE account_hold SET released_at = ? WHERE account = ? AND released_at IS NULL"),
    disown: sql("UPDATE account_hold SET dropped_at = ? WHERE account = ? AND released_at IS NULL"),
    recipients: sql("SELECT recipients FROM held_mail WHERE account = ?"),
    correspond: sql(`
      INSERT INTO correspondent (address, account, last_at) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at)`),
    holdMail: sql(`
      INSERT OR REPLACE INTO held_mail (queue_id, account, at, ip, recipient_count, recipients) VALUES (?, ?, ?, ?, ?, ?)`),
    endRefusals: sql("DELETE FROM refusal WHERE at < ?"),
    refuse: sql(
      "INSERT INTO refusal (account, at, count) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
    ),
    forget: sql("DELETE FROM held_mail WHERE queue_id = ?"),
  };
}
