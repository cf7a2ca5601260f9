import type { DatabaseSync } from "node:sqlite";
import { isV4, networkAddress, type Prefix, parsePrefix, prefixLength } from "../../../core/net/ip.ts";
import { integer } from "../columns.ts";

/**
 * The prefix lengths of banned networks. There are few, so each is tried with an exact lookup to find a wider network
 * around an address. An unused length stays; it costs only a lookup.
 */
export class BanLengths {
  readonly #v4 = new Set<number>();
  readonly #v6 = new Set<number>();

  constructor(db: DatabaseSync) {
    const rows = db
      .prepare(
        `SELECT DISTINCT instr(prefix, ':') > 0 AS v6, CAST(substr(prefix, instr(prefix, '/') + 1) AS INTEGER) AS length
        FROM ban WHERE ended_at IS NULL`,
      )
      .all();
    for (const row of rows) (row["v6"] === 1 ? this.#v6 : this.#v4).add(integer(row["length"]));
  }

  add(network: Prefix): void {
    (isV4(network) ? this.#v4 : this.#v6).add(prefixLength(network));
  }

  /** The networks around this one that could be banned, narrowest first. */
  around(network: Prefix): readonly Prefix[] {
    const own = prefixLength(network);
    const lengths = isV4(network) ? this.#v4 : this.#v6;
    if (lengths.size === 0 || (lengths.size === 1 && lengths.has(own))) return NONE;
    return [...lengths]
      .filter((length) => length < own)
      .sort((a, b) => b - a)
      .map((length) => parsePrefix(`${networkAddress(network)}/${length}`))
      .filter((wider) => wider !== null);
  }
}

const NONE: readonly Prefix[] = [];
