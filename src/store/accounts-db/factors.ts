import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Millis } from "../../core/time.ts";
import type { FactorStore, PasskeyStore, RecoveryStore } from "../../guard/admin-ports.ts";
import { LIMITS } from "../../guard/limits.ts";
import { bytes, integer, millis, millisOrNull, rowReader, text } from "../columns.ts";
import { prepared, together } from "../transactions.ts";
import { DONE, refused } from "./accounts.ts";

/** The administrator's second factors in `accounts.db`. Only the guard writes them, and the web cannot read them. */
export function sqliteFactors(db: DatabaseSync): FactorStore & RecoveryStore {
  const sql = prepared(db, {
    totp: "SELECT secret, last_step FROM admin_totp",
    set: "INSERT INTO admin_totp (id, secret, confirmed_at, last_step) VALUES (1, ?, ?, ?)",
    step: "UPDATE admin_totp SET last_step = ? WHERE last_step = ?",
    left: "SELECT count(*) AS n FROM admin_recovery WHERE used_at IS NULL",
    use: "UPDATE admin_recovery SET used_at = ? WHERE digest = ? AND used_at IS NULL",
    add: "INSERT INTO admin_recovery (digest, made_at) VALUES (?, ?)",
  });
  const removed = (from: string): number => Number(db.prepare(`DELETE FROM ${from}`).run().changes);
  const renew = (digests: readonly string[], at: Millis): void => {
    removed("admin_recovery");
    for (const digest of digests) sql.add.run(digest, at);
  };
  return {
    totp: () => {
      const row = sql.totp.get();
      return row === undefined ? null : { secret: bytes(row["secret"]), lastStep: integer(row["last_step"]) };
    },
    setTotp: ({ secret, lastStep, at, recovery }) =>
      together(db, () => {
        removed("admin_totp");
        sql.set.run(secret, at, lastStep);
        renew(recovery, at);
      }),
    useStep: (step, before) => sql.step.run(step, before).changes === 1,
    removeTotp: () =>
      together(db, () => {
        removed("admin_recovery");
        return removed("admin_totp") === 1;
      }),
    reset: () =>
      together(db, () => {
        removed("admin_recovery");
        return { factors: removed("admin_totp") + removed("admin_passkeys"), ended: removed("session") };
      }),
    recoveryLeft: () => integer(sql.left.get()?.["n"]),
    useRecovery: (digest, at) => sql.use.run(at, digest).changes === 1,
    renewRecovery: (digests, at) => together(db, () => renew(digests, at)),
  };
}

const HANDLE = "passkey_handle";
const HANDLE_BYTES = 32;

/** Passkeys in `accounts.db`. The stored data opens nothing: the private keys are in the authenticators. */
export function sqlitePasskeys(db: DatabaseSync): PasskeyStore {
  const sql = prepared(db, {
    list: "SELECT * FROM admin_passkeys ORDER BY created_at, id",
    add: `
      INSERT INTO admin_passkeys (id, public_key, algorithm, counter, name, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
    remove: "DELETE FROM admin_passkeys WHERE id = ?",
    used: "UPDATE admin_passkeys SET counter = ?, used_at = ? WHERE id = ?",
    makeHandle: "INSERT INTO admin (key, value, changed_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    handle: "SELECT value FROM admin WHERE key = ?",
  });
  const list = () => sql.list.all().map(passkey);
  return {
    list,
    add: ({ id, publicKey, algorithm, counter, name, at }) => {
      const known = list();
      if (known.some((one) => one.id === id)) return refused("This passkey is already registered.");
      if (known.some((one) => one.name === name)) return refused(`A passkey named ${name} exists already.`);
      if (known.length >= LIMITS.passkeys)
        return refused(`There are already ${LIMITS.passkeys} passkeys, the maximum: remove one first.`);
      sql.add.run(id, publicKey, algorithm, counter, name, at);
      return DONE;
    },
    remove: (id) => sql.remove.run(id).changes !== 0,
    used: (id, counter, at) => {
      sql.used.run(counter, at, id);
    },
    userHandle: (at) => {
      sql.makeHandle.run(HANDLE, randomBytes(HANDLE_BYTES).toString("base64url"), at);
      return text(sql.handle.get(HANDLE)?.["value"]);
    },
  };
}

const passkey = rowReader({
  id: text,
  publicKey: (value) => Buffer.from(bytes(value)),
  algorithm: integer,
  counter: integer,
  name: text,
  createdAt: millis,
  usedAt: millisOrNull,
});
