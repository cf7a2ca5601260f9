import type { DatabaseSync, StatementResultingChanges, StatementSync } from "node:sqlite";
import type { TokenItem } from "../../admin/access.ts";
import { type CountedPage, firstPage, type PageRequest } from "../../admin/declare/paging.ts";
import { parseScopes, printScopes } from "../../core/access/scopes.ts";
import { isWorthNoting } from "../../core/access/session.ts";
import type { Millis } from "../../core/time.ts";
import type { CredentialStore } from "../../guard/admin-ports.ts";
import { LIMITS } from "../../guard/limits.ts";
import type { Clock } from "../../guard/ports.ts";
import { integer, iso, isoOrNull, millisOrNull, rowReader, text, textOrNull } from "../columns.ts";
import { prepared, together } from "../transactions.ts";
import { DONE, refused } from "./accounts.ts";

const PASSWORD = "password";

/** Reads credentials for the command line; the connection may be read-only. */
export function readCredentials(db: DatabaseSync) {
  const sql = prepared(db, {
    tokens: "SELECT * FROM token WHERE name > ? ORDER BY name LIMIT ?",
    count: "SELECT count(*) AS n FROM token",
    value: "SELECT value FROM admin WHERE key = ?",
  });
  const countTokens = (): number => integer(sql.count.get()?.["n"]);
  return {
    countTokens,
    /** Ordered by name. */
    tokens: ({ limit, cursor }: PageRequest): CountedPage<TokenItem> => {
      const items = sql.tokens.all(cursor ?? "", limit + 1).map(tokenItem);
      return { ...firstPage(items, limit, ({ name }) => name), total: countTokens() };
    },
    /** Null until a password is set. */
    adminPasswordHash: (): string | null => textOrNull(sql.value.get(PASSWORD)?.["value"] ?? null),
  };
}

const scopesIn = (value: unknown) => parseScopes(text(value)) ?? [];
const tokenItem = rowReader({
  name: text,
  scopes: scopesIn,
  createdAt: iso,
  createdBy: text,
  expiresAt: isoOrNull,
  usedAt: isoOrNull,
});

/** Writes tokens and the dashboard's password to `accounts.db`, only as digests and hashes. */
export function sqliteCredentials(db: DatabaseSync, clock: Clock, uses = new NotedUses()) {
  const sql = prepared(db, {
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
  const stored = readCredentials(db);
  return {
    ...stored,
    createToken: ({ name, digest, scopes, by, at, expiresAt }) => {
      if (stored.countTokens() >= LIMITS.tokens)
        return refused(`There are already ${LIMITS.tokens} tokens, the maximum: revoke one first.`);
      const { changes } = sql.addToken.run(name, digest, by, at, printScopes(scopes), expiresAt);
      return changes === 0 ? refused(`A token named ${name} exists already.`) : DONE;
    },
    revokeToken: (name) => (sql.revoke.run(name).changes === 0 ? refused(`There is no token named ${name}.`) : DONE),
    /** Timing can reveal at most the digest, never the token. */
    useToken: (digest) => {
      const now = clock.now();
      const row = sql.byDigest.get(digest);
      if (row === undefined) return null;
      const expiresAt = millisOrNull(row["expires_at"]);
      if (expiresAt !== null && now >= expiresAt) return null;
      if (isWorthNoting(millisOrNull(row["used_at"]), now)) uses.note(sql.used, now, digest);
      return { name: text(row["name"]), scopes: scopesIn(row["scopes"]) };
    },
    /** Also ends the administrator's sessions; those of mailboxes stay. */
    setAdminPassword: (hash) =>
      together(db, () => {
        sql.put.run(PASSWORD, hash, clock.now());
        db.exec("DELETE FROM session WHERE account IS NULL");
      }),
  } satisfies CredentialStore & Record<string, unknown>;
}

/**
 * Written rows that do not count as a change of the accounts, such as the last use of a session or token. They do not cause files made
 * from the accounts, or the copy of `accounts.db`, to be written again, so the copy may hold older values.
 */
export class NotedUses {
  #rows = 0;

  /** A use that cannot be noted, for example because the disk is full, is still accepted. */
  note(use: StatementSync, now: Millis, digest: string): void {
    try {
      this.ignore(use.run(now, digest));
    } catch {}
  }

  ignore({ changes }: StatementResultingChanges): void {
    this.#rows += Number(changes);
  }

  /** Grows with each row that this connection changes, except for those ignored. */
  changes(db: DatabaseSync): number {
    return integer(db.prepare("SELECT total_changes() AS n").get()?.["n"]) - this.#rows;
  }
}
