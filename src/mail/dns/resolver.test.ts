import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import { failed } from "../../../test/kit/served.ts";
import { readQuestion, reply, SERVFAIL, TYPES, zoneServer } from "../../../test/kit/zone-server.ts";
import type { DnsRecord } from "./records.ts";
import { probeResolver, ResolverNames } from "./resolver.ts";

const LISTED = { name: "7.113.0.203.bl.example", type: "A", value: "127.0.0.4" } as const;
const SPF = `v=spf1 mx ${"ip4:203.0.113.0/24 ".repeat(14)}-all`;
const ZONE: Pick<DnsRecord, "name" | "type" | "value">[] = [
  LISTED,
  // Longer than one string of a text.
  { name: "pool.test", type: "TXT", value: SPF },
  { name: "pool.test", type: "MX", value: "10 mx.pool.test." },
  { name: "pool.test", type: "TXT", value: "v=other" },
  { name: "host.pool.test", type: "A", value: "198.51.100.7" },
  { name: "host.pool.test", type: "AAAA", value: "2001:db8::7" },
];

test("a name's addresses come with the time for which they may be kept, and are not cached here", async () => {
  const zone = [...ZONE];
  const names = new ResolverNames(await zoneServer(zone));
  const answer = { type: "addresses", addresses: ["127.0.0.4"], ttlMs: 0 };
  assert.deepEqual(await names.v4Addresses(LISTED.name), answer);
  const other = "8.113.0.203.bl.example";
  assert.deepEqual(await names.v4Addresses(other), { type: "none" }, "there is no such name");
  assert.deepEqual(await names.v4Addresses("pool.test"), { type: "none" }, "it has no address");
  zone.push({ ...LISTED, name: other });
  assert.deepEqual(await names.v4Addresses(other), answer);
});

test("the strings of a text are joined, and addresses of both families and mail exchanges are found", async () => {
  const lookup = new ResolverNames(await zoneServer(ZONE));
  assert.deepEqual(await lookup.texts("pool.test"), { ok: true, found: [SPF, "v=other"] });
  assert.deepEqual(await lookup.addresses("host.pool.test"), { ok: true, found: ["198.51.100.7", "2001:db8::7"] });
  assert.deepEqual(await lookup.exchanges("pool.test"), { ok: true, found: ["mx.pool.test"] });
  assert.deepEqual(await lookup.texts("gone.test"), { ok: true, found: [] });
  assert.deepEqual(await lookup.exchanges("host.pool.test"), { ok: true, found: [] });
});

test("IPv4 addresses are returned even if the query for IPv6 fails", async (t) => {
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  socket.on("message", (query, from) => {
    const question = readQuestion(query);
    const answer =
      question.type === TYPES.A ? reply(query, question, ["198.51.100.7"]) : reply(query, question, [], SERVFAIL);
    socket.send(answer, from.port, from.address);
  });
  await new Promise<void>((done) => socket.bind(0, "127.0.0.1", done));
  const lookup = new ResolverNames(`127.0.0.1:${socket.address().port}`);
  const partial = { ok: false, reason: "ESERVFAIL", partial: ["198.51.100.7"] };
  assert.deepEqual(await lookup.addresses("host.test"), partial);
});

test("a resolver that does not listen is reported, and another takes over", async () => {
  const names = new ResolverNames("127.0.0.1:9");
  assert.deepEqual(await names.v4Addresses(LISTED.name), { type: "failed", why: "ECONNREFUSED" });
  assert.deepEqual(await names.addresses(LISTED.name), { ok: false, reason: "ECONNREFUSED" });
  names.use(await zoneServer(ZONE));
  assert.equal((await names.v4Addresses(LISTED.name)).type, "addresses");
  assert.deepEqual(await names.addresses(LISTED.name), { ok: true, found: ["127.0.0.4"] });
});

test("a port without a resolver refuses", async () => {
  assert.deepEqual(await probeResolver("127.0.0.1:9", 5_000), failed("cannot be reached (ECONNREFUSED)"));
});
