import type { DatabaseSync } from "node:sqlite";
import type { FileChanges } from "../../admin/accounts.ts";
import type { Millis } from "../../core/time.ts";
import type { FileAccounts, NamedHash } from "../../guard/admin-ports.ts";
import { integerOrNull, rowReader, text, textOrNull } from "../columns.ts";
import { openAccountsForReading } from "../open.ts";
import { prepared, together } from "../transactions.ts";

type Changes = { -readonly [K in keyof FileChanges]: FileChanges[K][number][] };

/** Writes accounts from a file. Each call is one transaction: all or nothing. */
export function sqliteFileAccounts(db: DatabaseSync): FileAccounts {
  const sql = prepared(db, SQL);
  const changesOf = (write: (changes: Changes) => void): FileChanges => {
    const changes: Changes = { added: [], changed: [], suspended: [], resumed: [], quotas: [], skipped: [] };
    together(db, () => write(changes));
    return changes;
  };
  const add = (changes: Changes, { name, hash, quotaBytes }: NamedHash, at: Millis, followed: string): void => {
    if (sql.alias.get(name) !== undefined) changes.skipped.push({ name, why: "is an alias already" });
    else {
      sql.add.run(name, hash, at, followed, quotaBytes ?? null);
      changes.added.push(name);
    }
  };
  const followOne = (changes: Changes, entry: NamedHash, at: Millis): void => {
    const { name, hash, quotaBytes = null } = entry;
    const present = sql.account.get(name);
    if (present === undefined) return add(changes, entry, at, "listed");
    const { password, followed, suspended, quota_bytes: quota } = present;
    if (followed === null)
      changes.skipped.push({ name, why: "was added or given a password here, so the file does not change it" });
    else if (password !== hash || followed !== "listed" || quota !== quotaBytes) {
      sql.update.run(hash, quotaBytes, name);
      if ((followed === "unlisted" && suspended === 0) || suspended === 2) changes.resumed.push(name);
      else if (password !== hash) changes.changed.push(name);
      else if (quota !== quotaBytes) changes.quotas.push(name);
    }
  };
  return {
    importAll: (entries, at) =>
      changesOf((changes) => {
        for (const entry of entries)
          if (sql.account.get(entry.name) === undefined) add(changes, entry, at, "imported");
          else changes.skipped.push({ name: entry.name, why: "exists already, so it keeps its password" });
      }),
    follow: (entries, gone, at) =>
      changesOf((changes) => {
        for (const entry of entries) followOne(changes, entry, at);
        for (const name of gone) if (sql.unlist.run(name).changes !== 0) changes.suspended.push(name);
      }),
    endFollowing: () => {
      sql.keepSuspended.run();
      sql.release.run();
    },
  };
}

const SQL = {
  account: "SELECT password, followed, suspended, quota_bytes FROM account WHERE name = ?",
  alias: "SELECT 1 FROM alias WHERE address = ?",
  add: "INSERT INTO account (name, password, created_at, followed, quota_bytes) VALUES (?, ?, ?, ?, ?)",
  update:
    "UPDATE account SET password = ?, quota_bytes = ?, followed = 'listed', suspended = suspended % 2 WHERE name = ?",
  unlist: "UPDATE account SET followed = 'unlisted' WHERE name = ? AND followed = 'listed'",
  keepSuspended: "UPDATE account SET suspended = 2 WHERE followed = 'unlisted' AND suspended = 0",
  release: "UPDATE account SET followed = 'imported' WHERE followed IN ('listed', 'unlisted')",
};

const followedRow = rowReader({ name: text, hash: text, quotaBytes: integerOrNull, followed: textOrNull });
/** An account, for comparison with the followed file. `followed` is null for one added or given a password here. */
export type FollowedRow = ReturnType<typeof followedRow>;

/** For root only, because it reads password hashes. Another process keeps the file open, so this reader may close it. */
export function readFollowed(path: string): readonly FollowedRow[] {
  using db = openAccountsForReading(path);
  return db.prepare("SELECT name, password AS hash, quota_bytes, followed FROM account").all().map(followedRow);
}
