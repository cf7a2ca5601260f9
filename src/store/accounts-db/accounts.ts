import type { DatabaseSync } from "node:sqlite";
import { accountExists, noAccount } from "../../admin/accounts.ts";
import type { AccountName, Address } from "../../core/net/address.ts";
import type { AccountStore, AliasStore, MailKeyStore } from "../../guard/admin-ports.ts";
import type { Failed, Outcome } from "../../guard/ports.ts";
import { text } from "../columns.ts";
import { prepared, together } from "../transactions.ts";
import { ANY_KEY, sqliteAccountKeys } from "./account-keys.ts";

/** Maximum for one alias. Longer lists need a mailing-list server. */
const MOST_TARGETS = 500;

/** Accounts, their keys, and aliases, in `accounts.db`. Postfix and Dovecot see each change at once. Throws if it cannot be written. */
export function sqliteAccounts(db: DatabaseSync): AccountStore & AliasStore & MailKeyStore {
  const sql = prepared(db, SQL);
  const keys = sqliteAccountKeys(db);
  const isFollowed = (name: AccountName): boolean =>
    [sql.isListed, sql.isUnlisted].some((statement) => statement.get(name) !== undefined);
  return {
    /** `hash` includes its scheme, as Dovecot expects: `{ARGON2ID}$argon2id$…`. */
    add: (name, hash, at, opened = []) => {
      if (sql.aliasExists.get(name) !== undefined) return refused(`${name} is an alias already.`);
      return together(db, () => {
        const { changes } = sql.add.run(name, hash, at);
        if (changes === 0) return refused(accountExists(name));
        keys.keep(name, hash, opened);
        return DONE;
      });
    },
    setPassword: (name, hash, opened = []) => {
      if (isFollowed(name)) return refused(`${name} follows the accounts file: change its line there.`);
      return together(db, () => {
        const outcome = changedOne(sql.setPassword.run(hash, name).changes, name);
        if (outcome.ok) keys.keep(name, hash, opened);
        return outcome;
      });
    },
    openKeys: (name, hash, opened) => together(db, () => keys.open(name, hash, opened)),
    hasKeys: (name) => sql.hasKeys.get(name) !== undefined,
    setSuspended: (name, suspended) => {
      if (!suspended && sql.isUnlisted.get(name) !== undefined)
        return refused(`${name} has no line in the accounts file any more: put it back there.`);
      return changedOne(sql.setSuspended.run(suspended ? 1 : 0, name).changes, name);
    },
    setQuota: (name, quotaBytes) => {
      if (isFollowed(name)) return refused(`${name} follows the accounts file: set its quota in its line there.`);
      return changedOne(sql.setQuota.run(quotaBytes, name).changes, name);
    },
    /** Also removes it from aliases, so that the next account with this name does not inherit their mail. */
    remove: (name) => {
      if (sql.isListed.get(name) !== undefined)
        return refused(`${name} follows the accounts file: remove its line there first.`);
      return together(db, () => {
        const outcome = changedOne(sql.remove.run(name).changes, name);
        if (outcome.ok) {
          sql.removeTarget.run(name);
          sql.unblockMissing.run();
        }
        return outcome;
      });
    },
    addAlias: (address, targets) => {
      if (sql.accountExists.get(address) !== undefined) return refused(`${address} is an account already.`);
      return together(db, () => {
        const present = sql.targets.all(address).map((row) => text(row["target"]));
        if (present.length + targets.length > MOST_TARGETS)
          return refused(`The alias ${address} may have at most ${MOST_TARGETS} targets.`);
        const added = targets.filter((target) => sql.addAlias.run(address, target).changes === 1);
        if (added.length === 0) return refused(`The alias ${address} with these targets exists already.`);
        const blocked = sql.isBlocked.get(address) !== undefined;
        return { ok: true, alias: { address, targets: [...present, ...added], blocked } };
      });
    },
    removeAlias: (address) =>
      together(db, () => {
        const { changes } = sql.removeAlias.run(address);
        sql.unblockMissing.run();
        return changes === 0 ? noAlias(address) : DONE;
      }),
    isAddress: (address) =>
      [sql.accountExists, sql.aliasExists].some((statement) => statement.get(address) !== undefined),
    /** A blocked alias accepts no mail and cannot be used as a sender, but keeps its targets. */
    setAliasBlocked: (address, blocked) => {
      if (sql.aliasExists.get(address) === undefined) return noAlias(address);
      (blocked ? sql.block : sql.unblock).run(address);
      return DONE;
    },
    sendersOf: (account, most) => sql.sendersOf.all(account, most).map((row) => text(row["address"])),
  };
}

export const DONE: Outcome = { ok: true };

export function refused(reason: string): Failed {
  return { ok: false, reason };
}

/** Returns a function that refuses an account that does not exist, and returns null if it does. */
export function accountCheck(db: DatabaseSync): (name: string) => Failed | null {
  const account = db.prepare(SQL.accountExists);
  return (name) => (account.get(name) === undefined ? refused(noAccount(name)) : null);
}

function noAlias(address: Address): Outcome {
  return refused(`There is no alias ${address}.`);
}

function changedOne(changes: number | bigint, name: AccountName): Outcome {
  return Number(changes) === 0 ? refused(noAccount(name)) : DONE;
}

const SQL = {
  add: "INSERT INTO account (name, password, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  setPassword: "UPDATE account SET password = ?, followed = NULL WHERE name = ?",
  hasKeys: ANY_KEY,
  isListed: "SELECT 1 FROM account WHERE name = ? AND followed = 'listed'",
  isUnlisted: "SELECT 1 FROM account WHERE name = ? AND followed = 'unlisted'",
  setSuspended: "UPDATE account SET suspended = ? WHERE name = ?",
  setQuota: "UPDATE account SET quota_bytes = ? WHERE name = ?",
  remove: "DELETE FROM account WHERE name = ?",
  accountExists: "SELECT 1 FROM account WHERE name = ?",
  aliasExists: "SELECT 1 FROM alias WHERE address = ?",
  sendersOf: `
    SELECT address FROM sender_login AS own WHERE login = ? AND NOT EXISTS (
      SELECT 1 FROM alias JOIN account ON name = target WHERE alias.address = own.address AND name <> login)
    ORDER BY address LIMIT ?`,
  targets: "SELECT target FROM alias WHERE address = ?",
  addAlias: "INSERT INTO alias (address, target) VALUES (?, ?) ON CONFLICT DO NOTHING",
  removeAlias: "DELETE FROM alias WHERE address = ?",
  removeTarget: "DELETE FROM alias WHERE target = ?",
  unblockMissing: "DELETE FROM alias_block WHERE address NOT IN (SELECT address FROM alias)",
  isBlocked: "SELECT 1 FROM alias_block WHERE address = ?",
  block: "INSERT INTO alias_block (address) VALUES (?) ON CONFLICT DO NOTHING",
  unblock: "DELETE FROM alias_block WHERE address = ?",
};
