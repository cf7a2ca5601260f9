import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type Ip, neighbourhoodOf, overlaps, parseIp } from "../../../core/net/ip.ts";
import { isoTime, type Millis } from "../../../core/time.ts";
import { text } from "../columns.ts";

/** So many of the newest entries are looked through: more than a year of an owner's sign-ins. */
const ENTRIES = 10_000;

/** From where the administrator has signed in to the dashboard, by the audit. Shares the guard's connection. */
export class DashboardNetworks {
  readonly #from: StatementSync;

  constructor(db: DatabaseSync) {
    this.#from = db.prepare(`
      SELECT DISTINCT detail ->> '$.ip' AS ip FROM audit_entry
      WHERE id > (SELECT max(id) FROM audit_entry) - ${ENTRIES} AND type = 'LOGIN_SUCCEEDED' AND subject = 'dashboard'
        AND at < ? AND detail ->> '$.ip' IS NOT NULL`);
  }

  /** Whether no sign-in before came from its network (IPv4 /24, IPv6 /48). */
  isNew(ip: Ip, at: Millis): boolean {
    const network = neighbourhoodOf(ip, 48);
    return !this.#from.all(isoTime(at)).some((row) => {
      const known = parseIp(text(row["ip"]));
      return known !== null && overlaps(network, neighbourhoodOf(known, 48));
    });
  }
}
