import type { DatabaseSync } from "node:sqlite";
import type { AccountRow } from "../../admin/accounts.ts";
import type { AliasItem } from "../../admin/aliases.ts";
import { type CountedPage, firstPage, type PageRequest } from "../../admin/declare/paging.ts";
import type { AccountName } from "../../core/net/address.ts";
import { isoTime } from "../../core/time.ts";
import type { AccountBook, Searched } from "../../guard/admin-ports.ts";
import { integer, integerOrNull, millis, oneOf, type Row, text } from "../columns.ts";
import { type Prepared, prepared } from "../transactions.ts";

/** Reads accounts and aliases in `accounts.db`; the connection may be read-only. */
export class AccountLists implements AccountBook {
  readonly #sql: Prepared<typeof SQL>;

  constructor(db: DatabaseSync) {
    this.#sql = prepared(db, SQL);
  }

  accounts(asked: PageRequest & Partial<Searched>): CountedPage<AccountRow> {
    const { wanted, page } = parametersOf(asked);
    const items = this.#sql.accounts.all(page).map(accountRow);
    const total = integer(this.#sql.countAccounts.get({ wanted })?.["n"]);
    return { ...firstPage(items, asked.limit, ({ name }) => name), total };
  }

  /** Null if the account is missing. */
  account(name: AccountName): AccountRow | null {
    const row = this.#sql.account.get(name);
    return row === undefined ? null : accountRow(row);
  }

  /** The hash, with its scheme. Null if the account is missing. */
  password(name: string): string | null {
    const row = this.#sql.password.get(name);
    return row === undefined ? null : text(row["password"]);
  }

  aliases(asked: PageRequest & Partial<Searched>): CountedPage<AliasItem> {
    const { wanted, page } = parametersOf(asked);
    const items = this.#sql.aliases.all(page).map(aliasItem);
    const total = integer(this.#sql.countAliases.get({ wanted })?.["n"]);
    return { ...firstPage(items, asked.limit, ({ address }) => address), total };
  }

  aliasesTo(account: AccountName, most: number): readonly AliasItem[] {
    return this.#sql.aliasesTo.all(account, most).map(aliasItem);
  }

  addressesOf(account: AccountName, most: number): readonly string[] {
    return this.#sql.addressesOf.all(account, most).map((row) => text(row["address"]).toLowerCase());
  }

  /** The addresses under which the account may send, as Postfix and Rspamd read them. */
  sendersOf(account: string): readonly string[] {
    return this.#sql.senders
      .all()
      .filter((row) => text(row["logins"]).toLowerCase().split(",").includes(account.toLowerCase()))
      .map((row) => text(row["address"]));
  }

  aliasCounts(accounts: readonly string[]): ReadonlyMap<string, number> {
    const rows = this.#sql.aliasCounts.all(JSON.stringify(accounts));
    return new Map(rows.map((row) => [text(row["target"]), integer(row["n"])]));
  }
}

function parametersOf({ text: part, limit, cursor }: PageRequest & Partial<Searched>) {
  const wanted = (part ?? "").toLowerCase();
  return { wanted, page: { wanted, after: cursor ?? "", most: limit + 1 } };
}

function accountRow(row: Row): AccountRow {
  return {
    name: text(row["name"]),
    suspended: integer(row["suspended"]) === 1,
    origin: oneOf(["command", "imported", "listed", "unlisted"], row["origin"]),
    networks: row["networks"] === null ? [] : text(row["networks"]).split(" "),
    quotaBytes: integerOrNull(row["quota_bytes"]),
    createdAt: isoTime(millis(row["created_at"])),
  };
}

function aliasItem(row: Row): AliasItem {
  return {
    address: text(row["address"]),
    targets: text(row["targets"]).split(" "),
    blocked: integer(row["blocked"]) === 1,
  };
}

const ACCOUNT = `
  SELECT name, suspended OR followed IS 'unlisted' AS suspended, coalesce(followed, 'command') AS origin, created_at, quota_bytes,
    (SELECT group_concat(network, ' ') FROM account_network WHERE account = name) AS networks
  FROM account`;
const ALIAS = `
  SELECT address, group_concat(target, ' ') AS targets, address IN (SELECT address FROM alias_block) AS blocked
  FROM alias`;
// The search text is literal: instr has no wildcards.
const FOUND =
  "($wanted = '' OR address IN (SELECT address FROM alias WHERE instr(address, $wanted) OR instr(target, $wanted)))";
const SQL = {
  accounts: `${ACCOUNT} WHERE instr(name, $wanted) AND name > $after ORDER BY name LIMIT $most`,
  account: `${ACCOUNT} WHERE name = ?`,
  password: "SELECT password FROM account WHERE name = ?",
  countAccounts: "SELECT count(*) AS n FROM account WHERE instr(name, $wanted)",
  aliases: `${ALIAS} WHERE ${FOUND} AND address > $after GROUP BY address ORDER BY address LIMIT $most`,
  countAliases: `SELECT count(DISTINCT address) AS n FROM alias WHERE ${FOUND}`,
  aliasesTo: `
    ${ALIAS} WHERE address IN (SELECT address FROM alias WHERE target = ?) GROUP BY address ORDER BY address LIMIT ?`,
  addressesOf: `
    WITH RECURSIVE leading (address) AS (
      VALUES (?) UNION SELECT alias.address FROM alias JOIN leading ON alias.target = leading.address)
    SELECT address FROM leading LIMIT ?`,
  senders: "SELECT address, logins FROM sender_login ORDER BY address",
  aliasCounts: `
    SELECT lower(target) AS target, count(*) AS n FROM alias
    WHERE target COLLATE NOCASE IN (SELECT value FROM json_each(?)) GROUP BY lower(target)`,
};
