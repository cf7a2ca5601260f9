import type { DatabaseSync, StatementSync } from "node:sqlite";
import { firstPage, type PageRequest } from "../../admin/declare/paging.ts";
import { asciiAddress } from "../../core/net/address.ts";
import type { AccountLists, Searched } from "../../guard/admin-ports.ts";
import { flag, integer, integerOrNull, iso, oneOf, rowReader, sqlDomainOf, text, textOrNull } from "../columns.ts";
import { prepared } from "../transactions.ts";

/** Reads accounts and aliases in `accounts.db`; the connection may be read-only. */
export function sqliteAccountLists(db: DatabaseSync) {
  const sql = prepared(db, SQL);
  return {
    accounts: (asked: Asked) => {
      const { items, total } = found(sql.accounts, sql.countAccounts, asked);
      return { ...firstPage(items.map(accountRow), asked.limit, ({ name }) => name), total };
    },
    account: (name) => {
      const row = sql.account.get(name);
      return row === undefined ? null : accountRow(row);
    },
    /** The hash, with its scheme. Null if the account is missing. */
    password: (name: string): string | null => textOrNull(sql.password.get(name)?.["password"] ?? null),
    aliases: (asked: Asked) => {
      const { items, total } = found(sql.aliases, sql.countAliases, asked);
      return { ...firstPage(items.map(aliasItem), asked.limit, ({ address }) => address), total };
    },
    aliasesTo: (account, most) => sql.aliasesTo.all(account, most).map(aliasItem),
    addressesOf: (account, most) => sql.addressesOf.all(account, most).map((row) => text(row["address"]).toLowerCase()),
    forwardsEndedBy: (address) => sql.forwardsEndedBy.all({ address }).map(forwardRow),
    /** The addresses under which the account may send, as Postfix and Rspamd read them. */
    sendersOf: (account: string): readonly string[] => sql.senders.all(account).map((row) => text(row["address"])),
    aliasCounts: (accounts) => {
      const rows = sql.aliasCounts.all(JSON.stringify(accounts));
      return new Map(rows.map((row) => [text(row["target"]), integer(row["n"])]));
    },
  } satisfies AccountLists & Record<string, unknown>;
}

type Asked = PageRequest & Partial<Searched>;

function found(rows: StatementSync, count: StatementSync, { text: part, limit, cursor }: Asked) {
  const wanted = asciiAddress(part ?? "");
  const items = rows.all({ wanted, after: cursor ?? "", most: limit + 1 });
  return { items, total: integer(count.get({ wanted })?.["n"]) };
}

const accountRow = rowReader({
  name: text,
  suspended: flag,
  origin: (value) => oneOf(["command", "imported", "listed", "unlisted"], value),
  networks: (value): readonly string[] => textOrNull(value)?.split(" ") ?? [],
  quotaBytes: integerOrNull,
  createdAt: iso,
});
const aliasItem = rowReader({ address: text, targets: (value) => text(value).split(" "), blocked: flag });

const forwardRow = rowReader({ account: text, target: text });

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
  // Matches the schema's triggers. Removing an account also removes the aliases that lead only to it.
  forwardsEndedBy: `
    SELECT account, target FROM forward WHERE account <> $address COLLATE NOCASE AND (target = $address OR target IN (
      SELECT address FROM alias AS own WHERE target = $address AND $address COLLATE NOCASE IN (SELECT name FROM account)
        AND NOT EXISTS (SELECT 1 FROM alias WHERE alias.address = own.address AND alias.target <> $address)))
    ORDER BY account, target`,
  senders: `
    SELECT address FROM sender_login WHERE login = ? AND EXISTS (SELECT 1 FROM served WHERE domain = ${sqlDomainOf("address")})
    ORDER BY address`,
  aliasCounts: `
    SELECT lower(target) AS target, count(*) AS n FROM alias
    WHERE target COLLATE NOCASE IN (SELECT value FROM json_each(?)) GROUP BY lower(target)`,
};
