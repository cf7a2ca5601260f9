import type { DatabaseSync } from "node:sqlite";
import type { FileChanges } from "../../admin/accounts.ts";
import type { AccountName } from "../../core/net/address.ts";
import type { Millis } from "../../core/time.ts";
import type { FileAccounts, NamedHash } from "../../guard/admin-ports.ts";
import { integerOrNull, text, textOrNull } from "../columns.ts";
import { openAccountsForReading } from "../open.ts";
import { type Prepared, prepared, together } from "../transactions.ts";

type Skipped = FileChanges["skipped"][number];
type Changes = { -readonly [K in keyof FileChanges]: FileChanges[K][number][] };

/** Writes accounts from a file. Each call is one transaction: all or nothing. */
export class SqliteFileAccounts implements FileAccounts {
  readonly #db: DatabaseSync;
  readonly #sql: Prepared<typeof SQL>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#sql = prepared(db, SQL);
  }

  importAll(entries: readonly NamedHash[], at: Millis): FileChanges {
    return this.#together((changes) => {
      for (const { name, hash, quotaBytes } of entries) {
        const skipped = this.#sql.account.get(name) === undefined ? this.#taken(name) : exists(name);
        if (skipped !== null) changes.skipped.push(skipped);
        else {
          this.#sql.add.run(name, hash, at, "imported", quotaBytes ?? null);
          changes.added.push(name);
        }
      }
    });
  }

  follow(entries: readonly NamedHash[], gone: readonly AccountName[], at: Millis): FileChanges {
    return this.#together((changes) => {
      for (const entry of entries) this.#followOne(entry, at, changes);
      for (const name of gone) if (this.#sql.unlist.run(name).changes !== 0) changes.suspended.push(name);
    });
  }

  endFollowing(): void {
    this.#sql.keepSuspended.run();
    this.#sql.release.run();
  }

  #followOne({ name, hash, ...asked }: NamedHash, at: Millis, changes: Changes): void {
    const quotaBytes = asked.quotaBytes ?? null;
    const present = this.#sql.account.get(name);
    if (present === undefined) {
      const taken = this.#taken(name);
      if (taken !== null) changes.skipped.push(taken);
      else {
        this.#sql.add.run(name, hash, at, "listed", quotaBytes);
        changes.added.push(name);
      }
      return;
    }
    const { password, followed, quota_bytes: quota } = present;
    if (followed === null) {
      changes.skipped.push({ name, why: "was made by command, so the file does not touch it" });
      return;
    }
    if (password === hash && followed === "listed" && quota === quotaBytes) return;
    this.#sql.update.run(hash, quotaBytes, name);
    if (followed === "unlisted") changes.resumed.push(name);
    else if (password !== hash) changes.changed.push(name);
    else if (quota !== quotaBytes) changes.quotas.push(name);
  }

  #taken(name: AccountName): Skipped | null {
    return this.#sql.alias.get(name) === undefined ? null : { name, why: "is an alias already" };
  }

  #together(write: (changes: Changes) => void): FileChanges {
    const changes: Changes = { added: [], changed: [], suspended: [], resumed: [], quotas: [], skipped: [] };
    together(this.#db, () => write(changes));
    return changes;
  }
}

function exists(name: AccountName): Skipped {
  return { name, why: "exists already, so it keeps its password" };
}

const SQL = {
  account: "SELECT password, followed, quota_bytes FROM account WHERE name = ?",
  alias: "SELECT 1 FROM alias WHERE address = ?",
  add: "INSERT INTO account (name, password, created_at, followed, quota_bytes) VALUES (?, ?, ?, ?, ?)",
  update: "UPDATE account SET password = ?, quota_bytes = ?, followed = 'listed' WHERE name = ?",
  unlist: "UPDATE account SET followed = 'unlisted' WHERE name = ? AND followed = 'listed'",
  keepSuspended: "UPDATE account SET suspended = 1 WHERE followed = 'unlisted'",
  release: "UPDATE account SET followed = 'imported' WHERE followed IN ('listed', 'unlisted')",
};

/** An account, for comparison with the followed file. `followed` is null for an account made by command. */
export type FollowedRow = Readonly<{
  name: string;
  hash: string;
  quotaBytes: number | null;
  followed: string | null;
}>;

/** For root only, because it reads password hashes. Another process keeps the file open, so a reader may come and go. */
export function readFollowed(path: string): readonly FollowedRow[] {
  using db = openAccountsForReading(path);
  return db
    .prepare("SELECT name, password, quota_bytes, followed FROM account")
    .all()
    .map((row) => ({
      name: text(row["name"]),
      hash: text(row["password"]),
      quotaBytes: integerOrNull(row["quota_bytes"]),
      followed: textOrNull(row["followed"]),
    }));
}
