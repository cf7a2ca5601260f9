import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { TokenItem } from "../../admin/access.ts";
import { type CountedPage, firstPage, type PageRequest } from "../../admin/declare/paging.ts";
import { parseScopes, printScopes } from "../../core/access/scopes.ts";
import { isWorthNoting } from "../../core/access/session.ts";
import { isoTime, isoTimeOrNull, type Millis } from "../../core/time.ts";
import type { CredentialStore, FoundToken, NewToken } from "../../guard/admin-ports.ts";
import { LIMITS } from "../../guard/limits.ts";
import type { Clock, Outcome } from "../../guard/ports.ts";
import { integer, millis, millisOrNull, text } from "../columns.ts";
import { prepared, together } from "../transactions.ts";

const PASSWORD = "password";

/** Reads credentials for the command line; the connection may be read-only. */
export class Credentials {
  readonly #sql;

  constructor(db: DatabaseSync) {
    this.#sql = prepared(db, {
      tokens: "SELECT * FROM token WHERE name > ? ORDER BY name LIMIT ?",
      count: "SELECT count(*) AS n FROM token",
      value: "SELECT value FROM admin WHERE key = ?",
    });
  }

  /** Ordered by name. */
  tokens({ limit, cursor }: PageRequest): CountedPage<TokenItem> {
    const items = this.#sql.tokens.all(cursor ?? "", limit + 1).map((row) => ({
      name: text(row["name"]),
      scopes: parseScopes(text(row["scopes"])) ?? [],
      createdAt: isoTime(millis(row["created_at"])),
      createdBy: text(row["created_by"]),
      expiresAt: isoTimeOrNull(millisOrNull(row["expires_at"])),
      usedAt: isoTimeOrNull(millisOrNull(row["used_at"])),
    }));
    return { ...firstPage(items, limit, ({ name }) => name), total: this.countTokens() };
  }

  protected countTokens(): number {
    return integer(this.#sql.count.get()?.["n"]);
  }

  /** Null until a password is set. */
  adminPasswordHash(): string | null {
    const row = this.#sql.value.get(PASSWORD);
    return row === undefined ? null : text(row["value"]);
  }
}

/** Writes tokens and the dashboard's password to `accounts.db`, only as digests and hashes. */
export class SqliteCredentials extends Credentials implements CredentialStore {
  readonly #db: DatabaseSync;
  readonly #clock: Clock;
  readonly #uses: NotedUses;
  readonly #sql;

  constructor(db: DatabaseSync, clock: Clock, uses = new NotedUses()) {
    super(db);
    this.#db = db;
    this.#clock = clock;
    this.#uses = uses;
    this.#sql = prepared(db, {
      addToken: `
        INSERT INTO token (name, digest, created_by, created_at, scopes, expires_at) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (name) DO NOTHING`,
      revoke: "DELETE FROM token WHERE name = ?",
      byDigest: "SELECT name, scopes, expires_at, used_at FROM token WHERE digest = ?",
      used: "UPDATE token SET used_at = ? WHERE digest = ?",
      put: `
        INSERT INTO admin (key, value, changed_at) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at`,
    });
  }

  createToken({ name, digest, scopes, by, at, expiresAt }: NewToken): Outcome {
    if (this.countTokens() >= LIMITS.tokens)
      return { ok: false, reason: `There are ${LIMITS.tokens} tokens, which is as many as there may be.` };
    const { changes } = this.#sql.addToken.run(name, digest, by, at, printScopes(scopes), expiresAt);
    return changes === 0 ? { ok: false, reason: `A token named ${name} exists already.` } : { ok: true };
  }

  revokeToken(name: string): Outcome {
    const { changes } = this.#sql.revoke.run(name);
    return changes === 0 ? { ok: false, reason: `There is no token named ${name}.` } : { ok: true };
  }

  /** Timing can reveal at most the digest, never the token. */
  useToken(digest: string): FoundToken | null {
    const now = this.#clock.now();
    const row = this.#sql.byDigest.get(digest);
    if (row === undefined) return null;
    const expiresAt = millisOrNull(row["expires_at"]);
    if (expiresAt !== null && now >= expiresAt) return null;
    if (isWorthNoting(millisOrNull(row["used_at"]), now)) this.#uses.note(this.#sql.used, now, digest);
    return { name: text(row["name"]), scopes: parseScopes(text(row["scopes"])) ?? [] };
  }

  /** Also ends the administrator's sessions; those of mailboxes stay. */
  setAdminPassword(hash: string): void {
    together(this.#db, () => {
      this.#sql.put.run(PASSWORD, hash, this.#clock.now());
      this.#db.exec("DELETE FROM session WHERE account IS NULL");
    });
  }
}

/**
 * When sessions and tokens were used last. A note does not count as a change of the accounts: files made from them, and
 * their copy, stay unchanged. A row that is restored from the copy may have an earlier use.
 */
export class NotedUses {
  #rows = 0;

  /** A use that cannot be noted, for example because the disk is full, is still accepted. */
  note(use: StatementSync, now: Millis, digest: string): void {
    try {
      this.#rows += Number(use.run(now, digest).changes);
    } catch {}
  }

  /** Grows with each row that this connection changes, except for notes. */
  changes(db: DatabaseSync): number {
    return integer(db.prepare("SELECT total_changes() AS n").get()?.["n"]) - this.#rows;
  }
}
