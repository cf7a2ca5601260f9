import type { DatabaseSync } from "node:sqlite";
import type { Change } from "../../core/decide/decision.ts";
import type { Credit } from "../../core/decide/honest-mail.ts";
import { DAY_MS, type Millis } from "../../core/time.ts";
import type { HonestMail } from "../../guard/storage-ports.ts";
import { integer, LIMIT, prefix, rowReader } from "../columns.ts";
import { prepared } from "../transactions.ts";

/** Good mail by server and day. Uses the guard's own connection to `engine.db`. */
export function sqliteHonestMail(db: DatabaseSync) {
  const sql = prepared(db, SQL);
  return {
    credit: ({ prefix, network, mail }: Extract<Change, { type: "CREDIT" }>, at: Millis): void => {
      sql.credit.run(network, prefix, dayOf(at), ...ADDED[mail]);
    },
    server: (prefix, network, since) => {
      const row = sql.server.get(network, prefix, dayOf(since));
      return row === undefined ? null : readServer(row);
    },
    servers: (network, since, most) => sql.servers.all(network, dayOf(since), most).map(readServer),
    hasWrittenTo: (address) => sql.correspondent.get(address.toLowerCase()) !== undefined,
  } satisfies HonestMail & Readonly<{ credit: unknown }>;
}

/** How much a mail of each kind adds to accepted, proven, wanted and written. */
const ADDED: Readonly<Record<Credit, readonly [number, number, number, number]>> = {
  accepted: [1, 0, 0, 0],
  proven: [1, 1, 0, 0],
  wanted: [1, 1, 1, 0],
  written: [0, 0, 0, 1],
};

/** Days since 1970, UTC. */
function dayOf(at: Millis): number {
  return Math.floor(at / DAY_MS);
}

const readServer = rowReader({
  prefix,
  accepted: integer,
  proven: integer,
  wanted: integer,
  written: integer,
  provenDays: integer,
});

const TOTALS = `
  SELECT prefix, sum(accepted) AS accepted, sum(proven) AS proven, sum(wanted) AS wanted, sum(written) AS written,
    sum(proven > 0) AS proven_days
  FROM honest_mail`;
const SQL = {
  credit: `
    INSERT INTO honest_mail (network, prefix, day, accepted, proven, wanted, written) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET accepted = accepted + excluded.accepted, proven = proven + excluded.proven,
      wanted = wanted + excluded.wanted, written = written + excluded.written`,
  server: `${TOTALS} WHERE network = ? AND prefix = ? AND day >= ? GROUP BY prefix`,
  correspondent: "SELECT 1 FROM correspondent WHERE address = ? LIMIT 1",
  servers: `${TOTALS} WHERE network = ? AND day >= ? GROUP BY prefix ${LIMIT}`,
};
