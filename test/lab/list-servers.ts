/**
 * Runs in the `net` namespace and plays the name servers of block lists, and a resolver that no query should reach:
 * `list-servers.ts POISON_ADDRESS ADDRESS=ZONE...`. Each line of its input is a ListZone as JSON, or `asked ADDRESS`;
 * it answers each with one line of JSON.
 */
import { createInterface } from "node:readline";
import { LIST_MANNERS, ListServer, type ListZone } from "../kit/list-server.ts";

const [poisonAddress = "", ...wished] = process.argv.slice(2);
const servers = new Map<string, ListServer>();
/** Lies to whoever asks it, about everything. */
const poison = await ListServer.start(poisonAddress, 53, { zone: "poison.test", manner: "lying", listed: {} });
for (const wish of wished) {
  const [address = "", zone = ""] = wish.split("=");
  servers.set(zone, await ListServer.start(address, 53, { zone, manner: "honest", listed: {} }));
}
console.log(JSON.stringify("ready"));

for await (const line of createInterface({ input: process.stdin })) {
  const server = line.startsWith("asked ") ? servers.get(line.slice("asked ".length)) : null;
  if (server === null) become(line);
  console.log(JSON.stringify(server === null ? "done" : (server ?? poison).asked));
}

function become(line: string): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this repository's
  const zone = JSON.parse(line) as ListZone;
  if (!LIST_MANNERS.includes(zone.manner)) throw new Error(`no such manner: ${line}`);
  servers.get(zone.zone)?.become(zone);
}
