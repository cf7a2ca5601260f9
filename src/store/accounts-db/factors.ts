import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Millis } from "../../core/time.ts";
import type {
  FactorStore,
  NewPasskey,
  NewTotp,
  Passkey,
  PasskeyStore,
  RecoveryStore,
  StoredTotp,
} from "../../guard/admin-ports.ts";
import { LIMITS } from "../../guard/limits.ts";
import type { Outcome } from "../../guard/ports.ts";
import { bytes, integer, millis, millisOrNull, text } from "../columns.ts";
import { prepared, together } from "../transactions.ts";

/** The administrator's second factors in `accounts.db`. Only the guard writes them, and of the programs that strangers reach only the guard can read them. */
export class SqliteFactors implements FactorStore, RecoveryStore {
  readonly #db: DatabaseSync;
  readonly #sql;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#sql = prepared(db, {
      totp: "SELECT secret, last_step FROM admin_totp",
      set: "INSERT INTO admin_totp (id, secret, confirmed_at, last_step) VALUES (1, ?, ?, ?)",
      step: "UPDATE admin_totp SET last_step = ? WHERE last_step = ?",
      removeTotp: "DELETE FROM admin_totp",
      left: "SELECT count(*) AS n FROM admin_recovery WHERE used_at IS NULL",
      use: "UPDATE admin_recovery SET used_at = ? WHERE digest = ? AND used_at IS NULL",
      add: "INSERT INTO admin_recovery (digest, made_at) VALUES (?, ?)",
    });
  }

  totp(): StoredTotp | null {
    const row = this.#sql.totp.get();
    return row === undefined ? null : { secret: bytes(row["secret"]), lastStep: integer(row["last_step"]) };
  }

  setTotp({ secret, lastStep, at, recovery }: NewTotp): void {
    together(this.#db, () => {
      this.#sql.removeTotp.run();
      this.#sql.set.run(secret, at, lastStep);
      this.#renew(recovery, at);
    });
  }

  useStep(step: number, before: number): boolean {
    return this.#sql.step.run(step, before).changes === 1;
  }

  removeTotp(): boolean {
    return together(this.#db, () => {
      this.#db.exec("DELETE FROM admin_recovery");
      return this.#sql.removeTotp.run().changes === 1;
    });
  }

  reset(): Readonly<{ factors: number; ended: number }> {
    return together(this.#db, () => {
      const removed = (from: string): number => Number(this.#db.prepare(`DELETE FROM ${from}`).run().changes);
      removed("admin_recovery");
      return { factors: removed("admin_totp") + removed("admin_passkeys"), ended: removed("session") };
    });
  }

  recoveryLeft(): number {
    return integer(this.#sql.left.get()?.["n"]);
  }

  useRecovery(digest: string, at: Millis): boolean {
    return this.#sql.use.run(at, digest).changes === 1;
  }

  renewRecovery(digests: readonly string[], at: Millis): void {
    together(this.#db, () => this.#renew(digests, at));
  }

  #renew(digests: readonly string[], at: Millis): void {
    this.#db.exec("DELETE FROM admin_recovery");
    for (const digest of digests) this.#sql.add.run(digest, at);
  }
}

const HANDLE = "passkey_handle";
const HANDLE_BYTES = 32;

/** Passkeys in `accounts.db`. The stored data opens nothing: the private keys are in the authenticators. */
export class SqlitePasskeys implements PasskeyStore {
  readonly #sql;

  constructor(db: DatabaseSync) {
    this.#sql = prepared(db, {
      list: "SELECT * FROM admin_passkeys ORDER BY created_at, id",
      add: `
        INSERT INTO admin_passkeys (id, public_key, algorithm, counter, name, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
      remove: "DELETE FROM admin_passkeys WHERE id = ?",
      used: "UPDATE admin_passkeys SET counter = ?, used_at = ? WHERE id = ?",
      makeHandle: "INSERT INTO admin (key, value, changed_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      handle: "SELECT value FROM admin WHERE key = ?",
    });
  }

  list(): readonly Passkey[] {
    return this.#sql.list.all().map((row) => ({
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
    this.#sql.add.run(id, publicKey, algorithm, counter, name, at);
    return { ok: true };
  }

  remove(id: string): boolean {
    return this.#sql.remove.run(id).changes !== 0;
  }

  used(id: string, counter: number, at: Millis): void {
    this.#sql.used.run(counter, at, id);
  }

  userHandle(at: Millis): string {
    this.#sql.makeHandle.run(HANDLE, randomBytes(HANDLE_BYTES).toString("base64url"), at);
    return text(this.#sql.handle.get(HANDLE)?.["value"]);
  }
}
