import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ListServer } from "../../../test/kit/list-server.ts";
import { PublishedRecords } from "./published-records.ts";

describe("looking records up over a real socket", () => {
  const zone = { zone: "bl.example", manner: "honest", listed: { "7.113.0.203": "127.0.0.4" } } as const;
  let server: ListServer;
  before(async () => {
    server = await ListServer.start("127.0.0.1", 0, zone);
  });
  after(() => server.close());

  test("an existing name, a missing one, and a resolver that does not answer", async () => {
    const published = new PublishedRecords(`127.0.0.1:${server.port}`);
    const listed = { name: "7.113.0.203.bl.example", type: "A" } as const;
    assert.deepEqual(await published.find(listed), { type: "values", values: ["127.0.0.4"] });
    for (const type of ["A", "AAAA", "MX", "TXT", "PTR", "SRV"] as const)
      assert.deepEqual(await published.find({ name: "8.113.0.203.bl.example", type }), { type: "none" }, type);
    const dead = new PublishedRecords("127.0.0.1:9");
    assert.deepEqual(await dead.find(listed), { type: "failed", why: "ECONNREFUSED" });
  });
});
