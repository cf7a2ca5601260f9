import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ListServer } from "../../../test/kit/list-server.ts";
import { ResolverNames } from "./resolver.ts";

describe("looking names up over a real socket", () => {
  const zone = { zone: "bl.example", manner: "honest", listed: { "7.113.0.203": "127.0.0.4" } } as const;
  let server: ListServer;
  let names: ResolverNames;
  before(async () => {
    server = await ListServer.start("127.0.0.1", 0, zone);
    names = new ResolverNames(`127.0.0.1:${server.port}`);
  });
  after(() => server.close());

  test("addresses, with how long they may be kept", async () => {
    const answer = await names.addresses("7.113.0.203.bl.example");
    assert.deepEqual(answer, { type: "addresses", addresses: ["127.0.0.4"], ttlMs: 0 });
  });

  test("a name that does not exist, and one without addresses, have none", async () => {
    assert.deepEqual(await names.addresses("8.113.0.203.bl.example"), { type: "none" });
    assert.deepEqual(await names.addresses("113.0.203.bl.example"), { type: "none" });
  });

  test("a resolver that does not listen is reported, and another takes over", async () => {
    const dead = new ResolverNames("127.0.0.1:9");
    assert.deepEqual(await dead.addresses("bl.example"), { type: "failed", why: "ECONNREFUSED" });
    dead.use(`127.0.0.1:${server.port}`);
    assert.equal((await dead.addresses("7.113.0.203.bl.example")).type, "addresses");
  });

  test("nothing is remembered here: what changes is seen at once", async () => {
    server.become({ ...zone, manner: "lying" });
    assert.equal((await names.addresses("8.113.0.203.bl.example")).type, "addresses");
    server.become(zone);
    assert.equal((await names.addresses("8.113.0.203.bl.example")).type, "none");
  });
});
