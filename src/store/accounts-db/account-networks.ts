import type { DatabaseSync } from "node:sqlite";
import { noAccount } from "../../admin/accounts.ts";
import type { AccountName, Address } from "../../core/net/address.ts";
import { inBoth, type Prefix, parsePrefix } from "../../core/net/ip.ts";
import type { AccountNetworks, ServedSettings } from "../../guard/admin-ports.ts";
import type { Outcome } from "../../guard/ports.ts";
import { sqlDomainOf, text } from "../columns.ts";
import { type Prepared, prepared, together } from "../transactions.ts";

/** Means "nowhere" to Dovecot, which reads an empty list as "anywhere": no client uses the broadcast address. */
const NOWHERE = "255.255.255.255/32";
/** The row of allowed_networks for accounts without their own networks. */
const EVERYONE = "";
/** Maximum for one account. */
const MOST_NETWORKS = 200;

/** Stores the networks of accounts, and the settings that the accounts' database needs. */
export class SqliteAccountNetworks implements AccountNetworks, ServedSettings {
  readonly #db: DatabaseSync;
  readonly #sql: Prepared<typeof SQL>;
  #server: readonly Prefix[] = [];

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#sql = prepared(db, SQL);
  }

  networksOf(login: string): readonly Prefix[] {
    return this.#sql.networks
      .all(login)
      .map((row) => parsePrefix(text(row["network"])))
      .filter((network) => network !== null);
  }

  addNetworks(name: AccountName, networks: readonly Prefix[]): Outcome {
    if (this.#sql.account.get(name) === undefined) return { ok: false, reason: noAccount(name) };
    if (new Set([...this.networksOf(name), ...networks]).size > MOST_NETWORKS)
      return { ok: false, reason: `${name} may have ${MOST_NETWORKS} networks.` };
    return together(this.#db, () => {
      for (const network of networks) this.#sql.add.run(name, network);
      this.#allow(name);
      return { ok: true };
    });
  }

  removeNetworks(name: AccountName, networks: readonly Prefix[]): Outcome {
    if (this.#sql.account.get(name) === undefined) return { ok: false, reason: noAccount(name) };
    const present = this.networksOf(name);
    const missing = networks.find((network) => !present.includes(network));
    if (missing !== undefined) return { ok: false, reason: `${name} is not restricted to ${missing}.` };
    return together(this.#db, () => {
      for (const network of networks) this.#sql.remove.run(name, network);
      this.#allow(name);
      return { ok: true };
    });
  }

  serve({ domains, administrator, refused, networks }: Parameters<ServedSettings["serve"]>[0]): void {
    this.#server = networks;
    together(this.#db, () => {
      this.#sql.forgetDomains.run();
      for (const domain of domains) this.#sql.addDomain.run(domain);
      this.#setAdministrator(administrator);
      this.#sql.forgetRefused.run();
      for (const role of new Set(refused)) this.#sql.refuse.run(role);
      this.#sql.forgetAllowed.run();
      this.#allow(EVERYONE);
      for (const row of this.#sql.restricted.all()) this.#allow(text(row["account"]));
      return { ok: true };
    });
  }

  #setAdministrator(administrator: Address | null): void {
    this.#sql.forgetAdministrator.run();
    if (administrator !== null) this.#sql.setAdministrator.run(administrator);
  }

  #allow(account: string): void {
    const own = account === EVERYONE ? [] : this.networksOf(account);
    const allowed = inBoth(this.#server, own);
    if (allowed === null || (own.length === 0 && account !== EVERYONE)) this.#sql.allowAnywhere.run(account);
    else this.#sql.allow.run(account, allowed.length === 0 ? NOWHERE : allowed.join(","));
  }
}

const SQL = {
  account: "SELECT 1 FROM account WHERE name = ?",
  networks: "SELECT network FROM account_network WHERE account = ? ORDER BY network",
  restricted: "SELECT DISTINCT account FROM account_network",
  add: "INSERT INTO account_network (account, network) VALUES (?, ?) ON CONFLICT DO NOTHING",
  remove: "DELETE FROM account_network WHERE account = ? AND network = ?",
  allow: `
    INSERT INTO allowed_networks (account, networks) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET networks = excluded.networks`,
  allowAnywhere: "DELETE FROM allowed_networks WHERE account = ?",
  forgetAllowed: "DELETE FROM allowed_networks",
  forgetDomains: "DELETE FROM served",
  addDomain: "INSERT INTO served (domain) VALUES (?)",
  forgetRefused: "DELETE FROM refused_role",
  refuse: "INSERT INTO refused_role (role) VALUES (?)",
  forgetAdministrator: "DELETE FROM administrator",
  setAdministrator: "INSERT INTO administrator (address) VALUES (?)",
};

const MOST_NAMED = 4;

/** Some accounts and aliases at domains that the settings in force do not name. */
export function unserved(db: DatabaseSync): readonly string[] {
  return db
    .prepare(`
      SELECT address FROM (SELECT name AS address FROM account UNION SELECT address FROM alias)
      WHERE NOT EXISTS (SELECT 1 FROM served WHERE domain = ${sqlDomainOf("address")})
      LIMIT ${MOST_NAMED}`)
    .all()
    .map((row) => text(row["address"]));
}

/** Whether an account gets the mail of postmaster@ or abuse@ because no alias or account has that name. */
export function getsRoleMail(db: DatabaseSync, name: AccountName): boolean {
  return db.prepare("SELECT 1 FROM role_address WHERE target = ? COLLATE NOCASE LIMIT 1").get(name) !== undefined;
}

/** The entry of networks in `SETTING_TABLES` (`setting-tables.ts` beside it). */
export const NETWORKS = {
  key: "networks",
  store: (db: DatabaseSync) => new SqliteAccountNetworks(db),
  tables: ["account_network"],
  says: "networks of accounts",
  undo: "account networks ADDRESS remove NETWORK",
  redo: "account networks ADDRESS add NETWORK",
  rows: { from: "account_network", name: "account || ' from ' || network", is: "network" },
  shown: { what: "sign-ins only from", item: "network" },
} as const;
