import assert from "node:assert/strict";
import type { Connection, ConnectionOrders } from "../../src/core/firewall/connection-shares.ts";
import { type Prefix, prefixOf } from "../../src/core/net/ip.ts";
import { ConnectionWatch } from "../../src/guard/enforce/connection-watch.ts";
import type { OpenConnections } from "../../src/guard/network-ports.ts";
import type { Outcome } from "../../src/guard/ports.ts";
import { ip } from "./samples.ts";

const OK: Outcome = { ok: true };

/** A fake with these open connections, which records its calls. */
class HeldConnections implements OpenConnections {
  open: readonly Connection[] = [];
  inUse: number | null = null;
  looks = 0;
  outcome: Outcome = OK;
  readonly orders: ConnectionOrders[] = [];
  readonly ended: Connection[] = [];
  connections(ports: readonly number[]): Promise<readonly Connection[]> {
    assert.deepEqual(ports, [25]);
    this.looks += 1;
    return Promise.resolve(this.open);
  }
  sockets(): Promise<number | null> {
    return Promise.resolve(this.inUse);
  }
  silences(): Promise<ReadonlyMap<string, number>> {
    return Promise.reject(new Error("not answered in this test"));
  }
  sendOrders(orders: ConnectionOrders, lastsS: number): Promise<Outcome> {
    assert.equal(lastsS, 15);
    if (this.outcome.ok) this.orders.push(orders);
    return Promise.resolve(this.outcome);
  }
  end(connections: readonly Connection[]): Promise<Outcome> {
    assert.notEqual(connections.length, 0, "nothing is ended where nothing is too much");
    this.ended.push(...connections);
    return Promise.resolve(OK);
  }
}

/** A watch over port 25, of which a stranger may hold two connections and all strangers four. */
export function watchedPort() {
  const [kernel, asked] = [new HeldConnections(), { known: 0 }];
  const warnings: unknown[] = [];
  /** Addresses that must make room, and further known addresses. */
  const [crowding, many]: [Connection[], Prefix[]] = [[], []];
  const known = prefixOf(ip("203.0.113.9"), 64);
  const watch = new ConnectionWatch({
    kernel,
    rules: () => ({
      most: 2,
      mostKnown: 9,
      perPort: false,
      ports: [25],
      places: new Map(),
      shares: new Map([[25, 4]]),
      prefixOf: (address) => prefixOf(address, 64),
      isKnown: (prefix) => prefix === known,
      isExempt: () => false,
    }),
    ports: () => [25],
    known: () => {
      asked.known += 1;
      return [known, ...many];
    },
    room: {
      plan: (open) => {
        const end = open.filter((one) => crowding.includes(one));
        return Promise.resolve({
          isCrowded: end.length > 0,
          end,
          refused: end.slice(0, 1).map(({ ip, port }) => ({ prefix: prefixOf(ip, 64), port })),
        });
      },
    },
    log: { info: () => {}, warn: (_, fields) => warnings.push(fields?.["reason"]), error: () => {} },
  });
  const from = (host: number, count: number): readonly Connection[] =>
    Array.from({ length: count }, (_, i) => ({ ip: ip(`203.0.113.${host}`), clientPort: i + 1, port: 25 }));
  return { kernel, watch, warnings, asked, crowding, known, many, from };
}
