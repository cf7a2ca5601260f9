import type { DatabaseSync } from "node:sqlite";
import { auditedHold } from "../../core/audit/audited.ts";
import type { Change } from "../../core/decide/decision.ts";
import { DAY_MS, type Millis } from "../../core/time.ts";
import { HELD_BY_HAND, type HeldMail } from "../../guard/admin-ports.ts";
import { COUNTS_CODE, integer, iso, rowReader, text, textOrNull } from "../columns.ts";
import { sqliteAuditChain } from "../events/audit.ts";
import { type Prepares, prepared } from "../transactions.ts";

export type MailChange = Extract<
  Change,
  {
    type:
      | "HOLD_ACCOUNT"
      | "END_HOLD"
      | "DISOWN_HOLD"
      | "FORGET_CORRESPONDENTS"
      | "HOLD_MAIL"
      | "FORGET_HELD"
      | "NOTE_REFUSAL"
      | "CORRESPOND";
  }
>;

/** Longer than the hour within which `limits.sending.refused` counts. */
const REFUSALS_KEPT_MS = DAY_MS;

/** Writes correspondents, held accounts and their mail, and refusals that may cause a hold. Uses the guard's own connection to `engine.db`. */
export function sqliteMailChanges(db: DatabaseSync): (change: MailChange, at: Millis) => void {
  const audit = sqliteAuditChain(db);
  const sql = prepared(db, HOLD_SQL);
  return (change, at) => {
    switch (change.type) {
      case "HOLD_ACCOUNT": {
        const { account, prefix, ip, evidence } = change;
        sql.begin.run(account, at, prefix, ip, evidence.count, evidence.limit, evidence.windowMs, evidence.key);
        audit(auditedHold(change, at));
        return;
      }
      case "END_HOLD":
        sql.end.run(at, change.account, change.until ?? null);
        for (const row of sql.recipients.all(change.account, change.until ?? null))
          for (const address of text(row["recipients"]).split(" "))
            if (address !== "") sql.correspond.run(address, change.account, at);
        return;
      case "DISOWN_HOLD":
        sql.disown.run(at, change.ends === true ? at : null, change.account);
        // The owner vouched for a place of this account, not of the next account with the same name.
        if (change.ends === true) sql.forgetReleased.run(change.account);
        return;
      case "FORGET_CORRESPONDENTS":
        sql.forgetCorrespondents.run(change.account);
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
      case "CORRESPOND":
        sql.correspond.run(change.address, change.account, at);
        return;
    }
  };
}

const HOLD_SQL = {
  begin: `
    INSERT OR IGNORE INTO account_hold (account, at, prefix, ip, count, limit_count, window_ms, limit_key)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  end: "UPDATE account_hold SET released_at = ? WHERE account = ? AND at <= ifnull(?, at) AND released_at IS NULL",
  disown: "UPDATE account_hold SET dropped_at = ?, released_at = ? WHERE account = ? AND released_at IS NULL",
  forgetReleased: "DELETE FROM account_hold WHERE account = ? AND dropped_at IS NULL",
  recipients: "SELECT recipients FROM held_mail WHERE account = ? AND at <= ifnull(?, at)",
  correspond: `
    INSERT INTO correspondent (address, account, last_at) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at)`,
  forgetCorrespondents: "DELETE FROM correspondent WHERE lower(account) = lower(?)",
  holdMail: `
    INSERT OR REPLACE INTO held_mail (queue_id, account, at, ip, recipient_count, recipients) VALUES (?, ?, ?, ?, ?, ?)`,
  endRefusals: "DELETE FROM refusal WHERE at < ?",
  refuse: "INSERT INTO refusal (account, at, count) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
  forget: "DELETE FROM held_mail WHERE queue_id = ?",
};

const MOST = 2_000;
const MOST_NAMED = 5;

/** Held accounts and their mail, for the administrator's commands. */
export function sqliteHeldMail(db: Prepares): HeldMail {
  const sql = prepared(db, SQL);
  return {
    accounts: () => sql.accounts.all(MOST).map(heldAccount),
    held: (account) => sql.held.all(account, MOST).map(heldMail),
    counts: () => sql.counts.all(MOST).map(rowReader({ account: text, mails: integer, since: iso })),
    noted: (after, before, most) => sql.noted.all(after, before, most).map((row) => text(row["queue_id"])),
    holderOf: (queueId) => textOrNull(sql.holder.get(queueId)?.["account"] ?? null),
    sent: (account, since) => sql.sent.all(account, since, MOST).map(sentMail),
  };
}

const heldAccount = rowReader({
  account: text,
  at: iso,
  ip: text,
  count: integer,
  limit: integer,
  windowMs: integer,
  key: text,
});
const heldMail = rowReader({
  queueId: text,
  account: text,
  at: iso,
  ip: textOrNull,
  recipientCount: integer,
  recipients: (value) => text(value).split(" ").filter(Boolean).slice(0, MOST_NAMED),
});
const sentMail = rowReader({ queueId: textOrNull, at: iso, ip: text, recipientCount: integer, recipient: textOrNull });

const SQL = {
  accounts: `
    SELECT account, at, ip, count, limit_count AS "limit", window_ms, limit_key AS key
    FROM account_hold WHERE released_at IS NULL ORDER BY at DESC LIMIT ?`,
  held: `
    SELECT * FROM held_mail WHERE account = ?1 OR (?1 IS NULL AND account <> '${HELD_BY_HAND}')
    ORDER BY at DESC, queue_id LIMIT ?2`,
  counts: `
    SELECT account, count(*) AS mails, min(at) AS since FROM held_mail WHERE account <> '${HELD_BY_HAND}'
    GROUP BY account ORDER BY account LIMIT ?`,
  holder: "SELECT account FROM held_mail WHERE queue_id = ?",
  noted: "SELECT queue_id FROM held_mail WHERE queue_id > ? AND at < ? ORDER BY queue_id LIMIT ?",
  sent: `
    SELECT e.at, e.ip, e.queue_id, e.recipient, coalesce(json_extract(e.rest, '$.recipientCount'), 1) AS recipient_count
    FROM event_by_subject AS s JOIN event AS e ON e.id = s.id
    WHERE s.subject = ? AND s.counts = ${COUNTS_CODE.account_mail} AND s.at > ? AND e.verdict = 'pass'
      AND NOT EXISTS (SELECT 1 FROM held_mail WHERE queue_id = e.queue_id)
    ORDER BY s.at DESC, s.id DESC LIMIT ?`,
};
