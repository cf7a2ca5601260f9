import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Millis } from "../../../core/time.ts";
import type { FactorStore, NewTotp, RecoveryStore, StoredTotp } from "../../../engine/admin-ports.ts";
import { integer } from "../columns.ts";
import { together } from "../together.ts";

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
