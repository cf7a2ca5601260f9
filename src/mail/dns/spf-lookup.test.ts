import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { expandSpf } from "../../guard/lookups/sender-proof.ts";
import { ResolverLookup } from "./resolver.ts";

/** Types of RFC 1035 and RFC 3596, with the data of one record each. */
const TYPES = { A: 1, MX: 15, TXT: 16, AAAA: 28 } as const;
type Zone = Readonly<Record<string, Readonly<Partial<Record<keyof typeof TYPES, readonly Buffer[]>>>>>;

const ZONE: Zone = {
  "pool.test": {
    TXT: [texts("v=spf1 include:_more.pool.test mx", " ip4:203.0.113.0/24 -all")],
    MX: [mx("mx.pool.test")],
  },
  "_more.pool.test": { TXT: [texts("v=spf1 a:host.pool.test -all"), texts("v=other")] },
  "host.pool.test": { A: [Buffer.from([198, 51, 100, 7])], AAAA: [Buffer.from(`20010db8${"0".repeat(23)}7`, "hex")] },
  "mx.pool.test": { A: [Buffer.from([198, 51, 100, 25])] },
};

describe("looking SPF records up over a real socket", () => {
  let server: Socket;
  let lookup: ResolverLookup;
  before(async () => {
    server = createSocket("udp4");
    server.on("message", (query, from) => server.send(answerTo(query), from.port, from.address));
    server.bind(0, "127.0.0.1");
    await once(server, "listening");
    lookup = new ResolverLookup(`127.0.0.1:${server.address().port}`);
  });
  after(() => server.close());

  test("the strings of a text are joined, and addresses of both families and mail exchanges are found", async () => {
    const text = "v=spf1 include:_more.pool.test mx ip4:203.0.113.0/24 -all";
    assert.deepEqual(await lookup.texts("pool.test"), { ok: true, found: [text] });
    assert.deepEqual(await lookup.addresses("host.pool.test"), { ok: true, found: ["198.51.100.7", "2001:db8::7"] });
    assert.deepEqual(await lookup.exchanges("pool.test"), { ok: true, found: ["mx.pool.test"] });
    assert.deepEqual(await expandSpf("pool.test", lookup), {
      ok: true,
      found: ["198.51.100.7/32", "2001:db8::7/128", "198.51.100.25/32", "203.0.113.0/24"],
    });
  });

  test("a name that does not exist, and one without such records, have none", async () => {
    assert.deepEqual(await lookup.texts("gone.test"), { ok: true, found: [] });
    assert.deepEqual(await lookup.exchanges("host.pool.test"), { ok: true, found: [] });
  });

  test("a resolver that does not listen is reported, and another takes over", async () => {
    const dead = new ResolverLookup("127.0.0.1:9");
    assert.equal((await dead.texts("pool.test")).ok, false);
    dead.use(`127.0.0.1:${server.address().port}`);
    assert.equal((await dead.texts("pool.test")).ok, true);
  });
});

/** Just enough of a name server (RFC 1035, 4.1). */
function answerTo(query: Buffer): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length).toLowerCase());
    at += length + 1;
  }
  const type = query.readUInt16BE(at + 1);
  const records = ZONE[labels.join(".")];
  const found = Object.entries(TYPES).flatMap(([name, code]) =>
    code === type && (name === "A" || name === "AAAA" || name === "MX" || name === "TXT")
      ? (records?.[name] ?? [])
      : [],
  );
  const head = Buffer.from(query.subarray(0, at + 5));
  head.writeUInt16BE(records === undefined ? 0x84_03 : 0x84_00, 2);
  for (const [place, count] of [
    [4, 1],
    [6, found.length],
    [8, 0],
    [10, 0],
  ] as const)
    head.writeUInt16BE(count, place);
  return Buffer.concat([head, ...found.map((data) => record(type, data))]);
}

function record(type: number, data: Buffer): Buffer {
  const fixed = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, 0]);
  fixed.writeUInt16BE(data.length, 10);
  return Buffer.concat([fixed, data]);
}

function texts(...strings: readonly string[]): Buffer {
  return Buffer.concat(strings.flatMap((text) => [Buffer.from([text.length]), Buffer.from(text)]));
}

function mx(host: string): Buffer {
  const labels = host.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([Buffer.from([0, 10]), ...labels, Buffer.from([0])]);
}
