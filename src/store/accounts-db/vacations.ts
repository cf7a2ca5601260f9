import type { DatabaseSync } from "node:sqlite";
import type { VacationItem } from "../../admin/mailboxes.ts";
import type { VacationStore } from "../../guard/commands/accounts/account-settings.ts";
import { SCRIPT_VIEW } from "../../mail/dovecot/sieve.ts";
import { VERIFIED_HEADER } from "../../mail/rspamd/verified-headers.ts";
import { isoOrNull, rowReader, sqlDayAndTime, text } from "../columns.ts";
import { prepared } from "../transactions.ts";
import { accountCheck, DONE } from "./accounts.ts";

/** Vacation replies, in `accounts.db`. Dovecot sees each change at once. Throws if the file cannot be written. */
function sqliteVacations(db: DatabaseSync): VacationStore {
  const sql = prepared(db, SQL);
  const check = accountCheck(db);
  return {
    setVacation: (account, vacation) => {
      const refusal = check(account);
      if (refusal !== null) return refusal;
      if (vacation === null) sql.end.run(account);
      else sql.set.run(account, vacation.subject, vacation.text, vacation.until);
      return DONE;
    },
    vacationOf: (account) => readVacation(db, account),
  };
}

/** As `vacationOf`. The connection may be read-only. */
function readVacation(db: DatabaseSync, account: string): VacationItem | null {
  const row = db.prepare("SELECT subject, text, until FROM vacation WHERE account = ?").get(account);
  return row === undefined ? null : rowReader({ subject: text, text, until: isoOrNull })(row);
}

const SQL = {
  end: "DELETE FROM vacation WHERE account = ?",
  set: `
    INSERT INTO vacation (account, subject, text, until) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET subject = excluded.subject, text = excluded.text, until = excluded.until`,
};

/** The entry for vacation replies in `SETTING_TABLES` (`setting-tables.ts`). */
export const VACATIONS = {
  key: "vacations",
  store: sqliteVacations,
  schema: `
  -- Replies of accounts while their users are away; \`until\` in milliseconds.
  CREATE TABLE vacation (
    account TEXT COLLATE NOCASE PRIMARY KEY,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    until INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER vacation_of_removed AFTER DELETE ON account BEGIN
    DELETE FROM vacation WHERE account = old.name;
  END;

  -- The Sieve script of each reply now in effect (RFC 5230), which Dovecot reads through mail/dovecot/sieve.ts. Mail that is forwarded
  -- without a copy never reaches Dovecot, so no condition here has to exclude it. Each reply has one script per kind, and the kind is
  -- its name and id; sieve.ts chooses \`proven\` where senders are verified. The parts of the script:
  -- 1. Mailing-list mail gets no reply.
  -- 2. In the kind \`proven\`, only senders that SPF has verified, and those at our domains, get a reply. To a forged sender, it would
  --    be backscatter.
  -- 3. Each envelope sender (Dovecot's \`Return-Path\`) and each author gets one reply an hour. \`duplicate\` (RFC 7352) is true if its
  --    handle was used within \`:seconds\`; otherwise it marks the handle as used.
  -- 4. All senders together get twenty an hour. Each handle is a slot, and \`allof\` stops at the first free one, which this reply takes.
  -- 5. The reply. An alias counts as the user's own address if it leads nowhere else. In quoted strings only the backslash and the
  --    quote are special (RFC 5228, 2.4.2).
  CREATE VIEW ${SCRIPT_VIEW} (user, name, id, script) AS
    SELECT account, kind, kind,
      'require ["vacation", "duplicate", "envelope"];
if anyof (exists "List-Id", exists "List-Post", exists "List-Unsubscribe", exists "List-Help", exists "Feedback-ID",
  header :is "Precedence" ["bulk", "junk", "list"], header :matches "Auto-Submitted" "auto-*") {
}' || iif(kind = 'any', '', ' elsif not anyof (header :is "${VERIFIED_HEADER}" "spf"' || coalesce((
        SELECT ', envelope :domain "from" [' || group_concat('"' || domain || '"', ', ') || ']' FROM served HAVING count(*) > 0
      ), '') || ') {
}') || ' elsif anyof (duplicate :handle "ghostinbox-sender" :header "Return-Path" :seconds 3600,
  duplicate :handle "ghostinbox-author" :header "From" :seconds 3600) {
} elsif not allof (' || (
        WITH RECURSIVE slot (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM slot WHERE n < 20)
        SELECT group_concat('duplicate :handle "ghostinbox-' || n || '" :uniqueid "reply" :seconds 3600', ', ') FROM slot
      ) || ') {
  vacation :days 7 :handle "ghostinbox"' ||
      iif(subject = '', '', ' :subject "' || replace(replace(subject, '\\', '\\\\'), '"', '\\"') || '"') ||
      coalesce((
        SELECT ' :addresses [' || group_concat('"' || address || '"', ', ') || ']' FROM alias
        WHERE target = vacation.account AND instr(address, '"') + instr(address, '\\') = 0
          AND address NOT IN (SELECT address FROM alias_block)
          AND NOT EXISTS (SELECT 1 FROM alias AS other WHERE other.address = alias.address AND other.target <> alias.target)
      ), '') ||
      ' "' || replace(replace(replace(text, '\\', '\\\\'), '"', '\\"'), char(10), char(13, 10)) || '";
}
'
    FROM vacation, (SELECT 'proven' AS kind UNION ALL SELECT 'any')
    WHERE (until IS NULL OR until > (julianday('now') - 2440587.5) * 86400000)
      AND account IN (SELECT name FROM account WHERE suspended = 0 AND followed IS NOT 'unlisted');
`,
  tables: ["vacation"],
  says: "vacation replies",
  undo: "account vacation ADDRESS --off",
  rows: { from: "vacation", name: "account", is: "subject || char(10) || text || ' ' || coalesce(until, '')" },
  shown: {
    what: "vacation reply",
    is: `iif(until IS NULL, 'until it is ended', iif(until > unixepoch() * 1000, 'until ', 'ended ') || ${sqlDayAndTime("until")}) ||
      ': ' || trim(subject || ' ' || text)`,
  },
  mailbox: { name: "vacation", read: readVacation },
} as const;
