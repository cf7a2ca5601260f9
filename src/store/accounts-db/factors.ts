import { randomBytes } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
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
import { together } from "../transactions.ts";

/** The administrator's second factors in `accounts.db`. Only the guard writes them, and of the programs that strangers reach only the guard can read them. */
export class SqliteFactors implements FactorStore, RecoveryStore {
  readonly #db: DatabaseSync;
  readonly #totp: StatementSync;
  readonly #set: StatementSync;
  readonly #step: StatementSync;
  readonly #removeTotp: StatementSync;
  readonly #left: StatementSync;
  readonly #use: StatementSync;
  readonly #add: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#totp = db.prepare("SELECT secret, last_step FROM admin_totp");
    this.#set = db.prepare("INSERT INTO admin_totp (id, secret, confirmed_at, last_step) VALUES (1, ?, ?, ?)");
    this.#step = db.prepare("UPDATE admin_totp SET last_step = ? WHERE last_step = ?");
    this.#removeTotp = db.prepare("DELETE FROM admin_totp");
    this.#left = db.prepare("SELECT count(*) AS n FROM admin_recovery WHERE used_at IS NULL");
    this.#use = db.prepare("UPDATE admin_recovery SET used_at = ? WHERE digest = ? AND used_at IS NULL");
    this.#add = db.prepare("INSERT INTO admin_recovery (digest, made_at) VALUES (?, ?)");
  }

  totp(): StoredTotp | null {
    const row = this.#totp.get();
    if (row === undefined) return null;
    const { secret } = row;
    if (!(secret instanceof Uint8Array)) throw new TypeError("the secret is not bytes");
    return { secret, lastStep: integer(row["last_step"]) };
  }

  setTotp({ secret, lastStep, at, recovery }: NewTotp): void {
    together(this.#db, () => {
      this.#removeTotp.run();
      this.#set.run(secret, at, lastStep);
      this.#renew(recovery, at);
    });
  }

  useStep(step: number, before: number): boolean {
    return this.#step.run(step, before).changes === 1;
  }

  removeTotp(): boolean {
    return together(this.#db, () => {
      this.#db.exec("DELETE FROM admin_recovery");
      return this.#removeTotp.run().changes === 1;
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
    return integer(this.#left.get()?.["n"]);
  }

  useRecovery(digest: string, at: Millis): boolean {
    return this.#use.run(at, digest).changes === 1;
  }

  renewRecovery(digests: readonly string[], at: Millis): void {
    together(this.#db, () => this.#renew(digests, at));
  }

  #renew(digests: readonly string[], at: Millis): void {
    this.#db.exec("DELETE FROM admin_recovery");
    for (const digest of digests) this.#add.run(digest, at);
  }
}

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
