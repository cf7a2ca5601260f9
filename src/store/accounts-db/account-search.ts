import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AccountRow } from "../../admin/accounts.ts";
import type { AliasItem } from "../../admin/aliases.ts";
import { type CountedPage, firstPage } from "../../admin/declare/paging.ts";
import type { AccountName } from "../../core/net/address.ts";
import type { AccountBook, Searched } from "../../guard/admin-ports.ts";
import { integer, text } from "../columns.ts";
import { ACCOUNT_COLUMNS, accountRow } from "./accounts.ts";

/** Searches accounts and aliases in `accounts.db` for the dashboard. */
export class AccountSearch implements AccountBook {
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#sql = statements((sql) => db.prepare(sql));
  }

  accounts({ text: part, limit, cursor }: Searched): CountedPage<AccountRow> {
    const wanted = (part ?? "").toLowerCase();
    const items = this.#sql.accounts.all(wanted, cursor ?? "", limit + 1).map(accountRow);
    const total = integer(this.#sql.countAccounts.get(wanted)?.["n"]);
    return { ...firstPage(items, limit, ({ name }) => name), total };
  }

  aliases({ text: part, limit, cursor }: Searched): CountedPage<AliasItem> {
    const wanted = (part ?? "").toLowerCase();
    const items = this.#sql.aliases.all({ wanted, after: cursor ?? "", most: limit + 1 }).map(aliasItem);
    const total = integer(this.#sql.countAliases.get({ wanted })?.["n"]);
    return { ...firstPage(items, limit, ({ address }) => address), total };
  }

  aliasesTo(account: AccountName, most: number): readonly AliasItem[] {
    return this.#sql.aliasesTo.all(account, most).map(aliasItem);
  }

  addressesOf(account: AccountName, most: number): readonly string[] {
    return this.#sql.addressesOf.all(account, most).map((row) => text(row["address"]).toLowerCase());
  }

  aliasCounts(accounts: readonly string[]): ReadonlyMap<string, number> {
    const rows = this.#sql.aliasCounts.all(JSON.stringify(accounts));
    return new Map(rows.map((row) => [text(row["target"]), integer(row["n"])]));
  }
}

function aliasItem(row: Readonly<Record<string, unknown>>): AliasItem {
  return {
    address: text(row["address"]),
    targets: text(row["targets"]).split(" "),
    blocked: integer(row["blocked"]) === 1,
  };
}

function statements(sql: (text: string) => StatementSync) {
  const alias = `
    SELECT address, group_concat(target, ' ') AS targets, address IN (SELECT address FROM alias_block) AS blocked
    FROM alias`;
  // The search text is literal: instr has no wildcards.
  const found = "address IN (SELECT address FROM alias WHERE instr(address, $wanted) OR instr(target, $wanted))";
  return {
    accounts: sql(`${ACCOUNT_COLUMNS} WHERE instr(name, ?) AND name > ? ORDER BY name LIMIT ?`),
    countAccounts: sql("SELECT count(*) AS n FROM account WHERE instr(name, ?)"),
    aliases: sql(`${alias} WHERE ${found} AND address > $after GROUP BY address ORDER BY address LIMIT $most`),
    countAliases: sql(`SELECT count(DISTINCT address) AS n FROM alias WHERE ${found}`),
    aliasesTo: sql(`
      ${alias} WHERE address IN (SELECT address FROM alias WHERE target = ?) GROUP BY address ORDER BY address LIMIT ?`),
    addressesOf: sql(`
      WITH RECURSIVE leading (address) AS (
        VALUES (?) UNION SELECT alias.address FROM alias JOIN leading ON alias.target = leading.address)
      SELECT address FROM leading LIMIT ?`),
    aliasCounts: sql(`
      SELECT lower(target) AS target, count(*) AS n FROM alias
      WHERE target COLLATE NOCASE IN (SELECT value FROM json_each(?)) GROUP BY lower(target)`),
  };
}
