import type { DatabaseSync, StatementSync } from "node:sqlite";
import { isoTime, type Millis } from "../../../core/time.ts";
import type { CredentialStore } from "../../../engine/admin-ports.ts";
import type { Clock, Outcome } from "../../../engine/ports.ts";
import type { TokenItem } from "../../../wire/control/items.ts";
import { type CountedPage, firstPage, type PageRequest } from "../../../wire/control/paging.ts";
import type { Prepares } from "../between-transactions.ts";
import { integer, millis, text } from "../columns.ts";

const PASSWORD = "password";

/** Writes tokens and the dashboard's password to `engine.db`, only as digests and hashes. */
export class SqliteCredentials implements CredentialStore {
  readonly #clock: Clock;
  readonly #addToken: StatementSync;
  readonly #revoke: StatementSync;
  readonly #put: StatementSync;

  constructor(db: Prepares, clock: Clock) {
    this.#clock = clock;
    this.#addToken = db.prepare(`
      INSERT INTO token (name, digest, created_by, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING`);
    this.#revoke = db.prepare("DELETE FROM token WHERE name = ?");
    this.#put = db.prepare(`
      INSERT INTO admin (key, value, changed_at) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at`);
  }

  /** `digest`: SHA-256 of the token in hexadecimal. A token is random, so no slow hash is needed. */
  createToken(name: string, digest: string, by: string, at: Millis): Outcome {
    const { changes } = this.#addToken.run(name, digest, by, at);
    return changes === 0 ? { ok: false, reason: `A token named ${name} exists already.` } : { ok: true };
  }

  revokeToken(name: string): Outcome {
    const { changes } = this.#revoke.run(name);
    return changes === 0 ? { ok: false, reason: `There is no token named ${name}.` } : { ok: true };
  }

  setAdminPassword(hash: string): void {
    this.put(PASSWORD, hash);
  }

  /** Stores a value of the server itself under its own name. */
  put(key: string, value: string): void {
    this.#put.run(key, value, this.#clock.now());
  }
}

/** Reads credentials for the web and the command line; the connection may be read-only. */
export class Credentials {
  readonly #tokens: StatementSync;
  readonly #count: StatementSync;
  readonly #byDigest: StatementSync;
  readonly #value: StatementSync;

  constructor(db: DatabaseSync) {
    this.#tokens = db.prepare("SELECT name, created_at, created_by FROM token WHERE name > ? ORDER BY name LIMIT ?");
    this.#count = db.prepare("SELECT count(*) AS n FROM token");
    this.#byDigest = db.prepare("SELECT name FROM token WHERE digest = ?");
    this.#value = db.prepare("SELECT value FROM admin WHERE key = ?");
  }

  /** Ordered by name. */
  tokens({ limit, cursor }: PageRequest): CountedPage<TokenItem> {
    const items = this.#tokens.all(cursor ?? "", limit + 1).map((row) => ({
      name: text(row["name"]),
      createdAt: isoTime(millis(row["created_at"])),
      createdBy: text(row["created_by"]),
    }));
    return { ...firstPage(items, limit, ({ name }) => name), total: integer(this.#count.get()?.["n"]) };
  }

  /** The name of the token with this digest; null if there is none. Timing reveals at most the digest, never the token. */
  tokenName(digest: string): string | null {
    const row = this.#byDigest.get(digest);
    return row === undefined ? null : text(row["name"]);
  }

  /** Null until a password is set. */
  adminPasswordHash(): string | null {
    return this.value(PASSWORD);
  }

  value(key: string): string | null {
    const row = this.#value.get(key);
    return row === undefined ? null : text(row["value"]);
  }
}
