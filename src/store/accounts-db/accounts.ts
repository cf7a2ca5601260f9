import type { DatabaseSync } from "node:sqlite";
import { accountExists, noAccount } from "../../admin/accounts.ts";
import type { AccountKey } from "../../admin/declare/account-key.ts";
import type { AccountName, Address } from "../../core/net/address.ts";
import type { Millis } from "../../core/time.ts";
import type { AccountStore, AliasStore, MailKeyStore } from "../../guard/admin-ports.ts";
import type { Outcome } from "../../guard/ports.ts";
import { integer, text } from "../columns.ts";
import { type Prepared, prepared, together } from "../transactions.ts";
import { AccountKeys, ANY_KEY } from "./account-keys.ts";

/** Maximum for one alias. Longer lists need a mailing-list server. */
const MOST_TARGETS = 500;

/** Accounts, aliases and the keys of accounts, in `accounts.db`. Postfix and Dovecot see each change at once. Throws if the file cannot be written. */
export class SqliteAccounts implements AccountStore, AliasStore, MailKeyStore {
  readonly #db: DatabaseSync;
  readonly #sql: Prepared<typeof SQL>;
  readonly #keys: AccountKeys;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#keys = new AccountKeys(db);
    this.#sql = prepared(db, SQL);
  }

  /** `hash` includes its scheme, as Dovecot expects: `{ARGON2ID}$argon2id$…`. */
  add(name: AccountName, hash: string, at: Millis, keys: readonly AccountKey[] = []): Outcome {
    if (this.#sql.aliasExists.get(name) !== undefined) return refused(`${name} is an alias already.`);
    return together(this.#db, () => {
      const { changes } = this.#sql.add.run(name, hash, at);
      if (changes === 0) return refused(accountExists(name));
      this.#keys.keep(name, hash, keys);
      return DONE;
    });
  }

  setPassword(name: AccountName, hash: string, keys: readonly AccountKey[] = []): Outcome {
    if (this.#isFollowed(name)) return refused(`${name} follows the accounts file: change its line there.`);
    return together(this.#db, () => {
      const outcome = changedOne(this.#sql.setPassword.run(hash, name).changes, name);
      if (outcome.ok) this.#keys.keep(name, hash, keys);
      return outcome;
    });
  }

  openKeys(name: AccountName, hash: string, keys: readonly AccountKey[]): Outcome {
    return together(this.#db, () => this.#keys.open(name, hash, keys));
  }

  hasKeys(name: AccountName): boolean {
    return this.#sql.hasKeys.get(name) !== undefined;
  }

  setSuspended(name: AccountName, suspended: boolean): Outcome {
    if (!suspended && this.#sql.isUnlisted.get(name) !== undefined)
      return refused(`${name} has no line in the accounts file any more: put it back there.`);
    return changedOne(this.#sql.setSuspended.run(suspended ? 1 : 0, name).changes, name);
  }

  setQuota(name: AccountName, quotaBytes: number | null): Outcome {
    if (this.#isFollowed(name)) return refused(`${name} follows the accounts file: set its quota in its line there.`);
    return changedOne(this.#sql.setQuota.run(quotaBytes, name).changes, name);
  }

  /** Also removes it from aliases, so that the next account with this name does not inherit their mail. */
  remove(name: AccountName): Outcome {
    if (this.#sql.isListed.get(name) !== undefined)
      return refused(`${name} follows the accounts file: remove its line there first.`);
    return together(this.#db, () => {
      const outcome = changedOne(this.#sql.remove.run(name).changes, name);
      if (outcome.ok) {
        this.#sql.removeTarget.run(name);
        this.#sql.unblockMissing.run();
      }
      return outcome;
    });
  }

  addAlias(address: Address, targets: readonly Address[]): Outcome {
    if (this.#sql.accountExists.get(address) !== undefined) return refused(`${address} is an account already.`);
    return together(this.#db, () => {
      const present = integer(this.#sql.countTargets.get(address)?.["n"]);
      if (present + targets.length > MOST_TARGETS)
        return refused(`The alias ${address} may have ${MOST_TARGETS} targets.`);
      const added = targets.filter((target) => this.#sql.addAlias.run(address, target).changes === 1);
      return added.length === 0 ? refused(`The alias ${address} with these targets exists already.`) : DONE;
    });
  }

  removeAlias(address: Address): Outcome {
    return together(this.#db, () => {
      const { changes } = this.#sql.removeAlias.run(address);
      this.#sql.unblockMissing.run();
      return changes === 0 ? noAlias(address) : DONE;
    });
  }

  isAddress(address: Address): boolean {
    return [this.#sql.accountExists, this.#sql.aliasExists].some((statement) => statement.get(address) !== undefined);
  }

  leadsTo(from: Address, to: Address): boolean {
    return this.#sql.leadsTo.get(from, to) !== undefined;
  }

  /** A blocked alias accepts no mail and cannot be used as a sender, but keeps its targets. */
  setAliasBlocked(address: Address, blocked: boolean): Outcome {
    if (this.#sql.aliasExists.get(address) === undefined) return noAlias(address);
    (blocked ? this.#sql.block : this.#sql.unblock).run(address);
    return DONE;
  }

  sendersOf(account: AccountName, most: number): readonly string[] {
    return this.#sql.sendersOf.all(account, most).map((row) => text(row["address"]));
  }

  #isFollowed(name: AccountName): boolean {
    return [this.#sql.isListed, this.#sql.isUnlisted].some((statement) => statement.get(name) !== undefined);
  }
}

const DONE: Outcome = { ok: true };

function refused(reason: string): Outcome {
  return { ok: false, reason };
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
  sendersOf: "SELECT address FROM sender_login WHERE logins = ? COLLATE NOCASE ORDER BY address LIMIT ?",
  leadsTo: `
    WITH RECURSIVE reached (address) AS (
      VALUES (?) UNION SELECT target FROM onward JOIN reached ON onward.address = reached.address
      UNION SELECT substr(address, 1, instr(address, '+') - 1) || substr(address, instr(address, '@')) FROM reached
      WHERE instr(address, '+') > 1)
    SELECT 1 FROM reached WHERE address = ?`,
  countTargets: "SELECT count(*) AS n FROM alias WHERE address = ?",
  addAlias: "INSERT INTO alias (address, target) VALUES (?, ?) ON CONFLICT DO NOTHING",
  removeAlias: "DELETE FROM alias WHERE address = ?",
  removeTarget: "DELETE FROM alias WHERE target = ?",
  unblockMissing: "DELETE FROM alias_block WHERE address NOT IN (SELECT address FROM alias)",
  block: "INSERT INTO alias_block (address) VALUES (?) ON CONFLICT DO NOTHING",
  unblock: "DELETE FROM alias_block WHERE address = ?",
};
