import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AccountName } from "../../core/net/address.ts";
import { inBoth, type Prefix, parsePrefix } from "../../core/net/ip.ts";
import type { AccountNetworks, ServedSettings } from "../../guard/admin-ports.ts";
import type { Outcome } from "../../guard/ports.ts";
import { sqlDomainOf, text } from "../columns.ts";
import { prepared, together } from "../transactions.ts";
import { accountCheck, DONE, refused } from "./accounts.ts";

/** Stands for "nowhere", because Dovecot reads an empty list as "anywhere". No client uses the broadcast address. */
const NOWHERE = "255.255.255.255/32";
/** The row of allowed_networks for accounts without their own networks. */
const EVERYONE = "";
/** Maximum for one account. */
const MOST_NETWORKS = 200;

/** Stores the networks of accounts, and the settings that the accounts' database needs. */
function sqliteAccountNetworks(db: DatabaseSync): AccountNetworks & ServedSettings {
  const sql = prepared(db, SQL);
  const check = accountCheck(db);
  let server: readonly Prefix[] = [];
  const networksOf = (login: string): readonly Prefix[] =>
    sql.networks
      .all(login)
      .map((row) => parsePrefix(text(row["network"])))
      .filter((network) => network !== null);
  const allow = (account: string): void => {
    const own = account === EVERYONE ? [] : networksOf(account);
    const allowed = inBoth(server, own);
    if (allowed === null || (own.length === 0 && account !== EVERYONE)) sql.allowAnywhere.run(account);
    else sql.allow.run(account, allowed.length === 0 ? NOWHERE : allowed.join(","));
  };
  const change = (name: AccountName, networks: readonly Prefix[], statement: StatementSync): Outcome =>
    together(db, () => {
      for (const network of networks) statement.run(name, network);
      allow(name);
      return DONE;
    });
  return {
    networksOf,
    addNetworks: (name, networks) => {
      const refusal = check(name);
      if (refusal !== null) return refusal;
      if (new Set([...networksOf(name), ...networks]).size > MOST_NETWORKS)
        return refused(`${name} may have at most ${MOST_NETWORKS} networks.`);
      return change(name, networks, sql.add);
    },
    removeNetworks: (name, networks) => {
      const refusal = check(name);
      if (refusal !== null) return refusal;
      const present = networksOf(name);
      const other = networks.find((network) => !present.includes(network));
      if (other !== undefined) return refused(`${name} is not restricted to ${other}.`);
      return change(name, networks, sql.remove);
    },
    serve: ({ domains, administrator, refused: roles, networks }) => {
      server = networks;
      together(db, () => {
        db.exec(
          "DELETE FROM served; DELETE FROM administrator; DELETE FROM refused_role; DELETE FROM allowed_networks",
        );
        for (const domain of domains) sql.addDomain.run(domain);
        if (administrator !== null) sql.setAdministrator.run(administrator);
        for (const role of new Set(roles)) sql.refuse.run(role);
        allow(EVERYONE);
        for (const row of sql.restricted.all()) allow(text(row["account"]));
      });
    },
  };
}

const SQL = {
  networks: "SELECT network FROM account_network WHERE account = ? ORDER BY network",
  restricted: "SELECT DISTINCT account FROM account_network",
  add: "INSERT INTO account_network (account, network) VALUES (?, ?) ON CONFLICT DO NOTHING",
  remove: "DELETE FROM account_network WHERE account = ? AND network = ?",
  allow: `
    INSERT INTO allowed_networks (account, networks) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET networks = excluded.networks`,
  allowAnywhere: "DELETE FROM allowed_networks WHERE account = ?",
  addDomain: "INSERT INTO served (domain) VALUES (?)",
  refuse: "INSERT INTO refused_role (role) VALUES (?)",
  setAdministrator: "INSERT INTO administrator (address) VALUES (?)",
};

const MOST_NAMED = 4;

/** Returns a few of the accounts and aliases whose domains are not in the settings in force. */
export function unserved(db: DatabaseSync): readonly string[] {
  return db
    .prepare(`
      SELECT address FROM (SELECT name AS address FROM account UNION SELECT address FROM alias)
      WHERE NOT EXISTS (SELECT 1 FROM served WHERE domain = ${sqlDomainOf("address")})
      LIMIT ${MOST_NAMED}`)
    .all()
    .map((row) => text(row["address"]));
}

/** `reads`: whether the address is, or leads by aliases to, one on another server or an account that can sign in. Ignores forwards. */
export type RoleReader = Readonly<{ address: string; reads: boolean }>;

/** Returns who gets mail for a postmaster@ or abuse@ without its own alias or account. Null if no one does, or there is no such address. */
export function roleReader(db: DatabaseSync): RoleReader | null {
  const row = db.prepare("SELECT address, reads FROM role_reader LIMIT 1").get();
  return row === undefined ? null : { address: text(row["address"]), reads: row["reads"] === 1 };
}

/** The entry for networks in `SETTING_TABLES` (`setting-tables.ts`). */
export const NETWORKS = {
  key: "networks",
  store: sqliteAccountNetworks,
  tables: ["account_network"],
  says: "networks of accounts",
  undo: "account networks ADDRESS remove NETWORK",
  redo: "account networks ADDRESS add NETWORK",
  rows: { from: "account_network", name: "account || ' from ' || network", is: "network" },
  shown: { what: "sign-ins only from", item: "network" },
} as const;
