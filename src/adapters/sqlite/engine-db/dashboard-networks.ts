import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type Ip, neighbourhoodOf, overlaps, parseIp } from "../../../core/net/ip.ts";
import { DAY_MS, isoTime, later, type Millis } from "../../../core/time.ts";
import { text } from "../columns.ts";

/** How many of the newest entries are searched: more than a year of an owner's sign-ins. */
const ENTRIES = 10_000;

/** A thief's own sign-in must not make the thief's network familiar. */
const FAMILIAR_AFTER_MS = DAY_MS;

type Came = Readonly<{ ip: Ip; at: string }>;

/** Networks from which the administrator has signed in to the dashboard and tokens have acted, by the audit. Shares the guard's connection. */
export class DashboardNetworks {
  readonly #signIns: StatementSync;
  readonly #acts: StatementSync;

  constructor(db: DatabaseSync) {
    const recent = `FROM audit_entry WHERE id > (SELECT max(id) FROM audit_entry) - ${ENTRIES}`;
    this.#signIns = db.prepare(`
      SELECT min(at) AS at, detail ->> '$.ip' AS ip ${recent} AND type = 'LOGIN_SUCCEEDED' AND subject = 'dashboard'
        AND detail ->> '$.ip' IS NOT NULL GROUP BY ip ORDER BY 1`);
    this.#acts = db.prepare(`
      SELECT min(at) AS at, substr(actor, length(?1) + 1) AS ip ${recent} AND substr(actor, 1, length(?1)) = ?1
        GROUP BY ip ORDER BY 1`);
  }

  /** Whether no earlier sign-in came from its network (IPv4 /24, IPv6 /48). */
  isNew(ip: Ip, at: Millis): boolean {
    const before = isoTime(at);
    const earlier = came(this.#signIns).filter((one) => one.at < before);
    return !isAmong(ip, earlier);
  }

  /** Whether the first sign-in, or one more than a day ago, came from its network. Networks of tokens are judged in the same way. */
  isFamiliar(actor: string, ip: Ip, at: Millis): boolean {
    const before = isoTime(later(at, -FAMILIAR_AFTER_MS));
    const familiar = (all: readonly Came[]) => all.filter((one, index) => index === 0 || one.at < before);
    if (isAmong(ip, familiar(came(this.#signIns)))) return true;
    return actor.startsWith("web:token ") && isAmong(ip, familiar(came(this.#acts, `${actor.split(" via ")[0]} via `)));
  }
}

function came(statement: StatementSync, ...of: readonly string[]): readonly Came[] {
  return statement.all(...of).flatMap((row) => {
    const ip = parseIp(text(row["ip"]));
    return ip === null ? [] : [{ ip, at: text(row["at"]) }];
  });
}

function isAmong(ip: Ip, all: readonly Came[]): boolean {
  const network = neighbourhoodOf(ip, 48);
  return all.some((one) => overlaps(network, neighbourhoodOf(one.ip, 48)));
}
