import { randomBytes } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Millis } from "../../../core/time.ts";
import type { NewPasskey, Passkey, PasskeyStore } from "../../../engine/admin-ports.ts";
import { LIMITS } from "../../../engine/limits.ts";
import type { Outcome } from "../../../engine/ports.ts";
import { bytes, integer, millis, millisOrNull, text } from "../columns.ts";

const HANDLE = "passkey_handle";
const HANDLE_BYTES = 32;

/** Passkeys in `accounts.db`. The stored data opens nothing: the private keys are in the authenticators. */
export class SqlitePasskeys implements PasskeyStore {
  readonly #list: StatementSync;
  readonly #add: StatementSync;
  readonly #remove: StatementSync;
  readonly #used: StatementSync;
  readonly #makeHandle: StatementSync;
  readonly #handle: StatementSync;

  constructor(db: DatabaseSync) {
    this.#list = db.prepare("SELECT * FROM admin_passkeys ORDER BY created_at, id");
    this.#add = db.prepare(`
      INSERT INTO admin_passkeys (id, public_key, algorithm, counter, name, created_at) VALUES (?, ?, ?, ?, ?, ?)`);
    this.#remove = db.prepare("DELETE FROM admin_passkeys WHERE id = ?");
    this.#used = db.prepare("UPDATE admin_passkeys SET counter = ?, used_at = ? WHERE id = ?");
    this.#makeHandle = db.prepare("INSERT INTO admin (key, value, changed_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
    this.#handle = db.prepare("SELECT value FROM admin WHERE key = ?");
  }

  list(): readonly Passkey[] {
    return this.#list.all().map((row) => ({
      id: text(row["id"]),
      publicKey: Buffer.from(bytes(row["public_key"])),
      algorithm: integer(row["algorithm"]),
      counter: integer(row["counter"]),
      name: text(row["name"]),
      createdAt: millis(row["created_at"]),
      usedAt: millisOrNull(row["used_at"]),
    }));
  }

  add({ id, publicKey, algorithm, counter, name, at }: NewPasskey): Outcome {
    const known = this.list();
    if (known.some((one) => one.id === id)) return { ok: false, reason: "This passkey is there already." };
    if (known.some((one) => one.name === name)) return { ok: false, reason: `A passkey named ${name} exists already.` };
    if (known.length >= LIMITS.passkeys)
      return { ok: false, reason: `There are ${LIMITS.passkeys} passkeys, which is as many as there may be.` };
    this.#add.run(id, publicKey, algorithm, counter, name, at);
    return { ok: true };
  }

  remove(id: string): boolean {
    return this.#remove.run(id).changes !== 0;
  }

  used(id: string, counter: number, at: Millis): void {
    this.#used.run(counter, at, id);
  }

  userHandle(at: Millis): string {
    this.#makeHandle.run(HANDLE, randomBytes(HANDLE_BYTES).toString("base64url"), at);
    return text(this.#handle.get(HANDLE)?.["value"]);
  }
}
