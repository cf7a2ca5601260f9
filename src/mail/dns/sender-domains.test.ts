import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { ListServer } from "../../../test/kit/list-server.ts";
import { DnsSenderDomains, SENDER_DOMAIN_LIMITS } from "./sender-domains.ts";

describe("whether a sender's domain exists, over a real socket", () => {
  const zone = { zone: "example", manner: "honest", listed: { "7.113.0.203": "127.0.0.4" } } as const;
  const clock = new HandClock();
  let server: ListServer;
  before(async () => {
    server = await ListServer.start("127.0.0.1", 0, zone);
  });
  after(() => server.close());
  const fresh = (): DnsSenderDomains => new DnsSenderDomains(`127.0.0.1:${server.port}`, clock);

  test("a domain with an address takes mail, one that is not there does not", async () => {
    const domains = fresh();
    assert.equal(await domains.exists("7.113.0.203.example"), true);
    assert.equal(await domains.exists("8.113.0.203.example"), false);
  });

  test("a resolver that does not answer judges no sender", async () => {
    const domains = new DnsSenderDomains("127.0.0.1:9", clock);
    assert.equal(await domains.exists("8.113.0.203.example"), null);
    domains.use(`127.0.0.1:${server.port}`);
    assert.equal(await domains.exists("8.113.0.203.example"), null, "it is not asked again at once");
    clock.advance(SENDER_DOMAIN_LIMITS.failedMs);
    assert.equal(await domains.exists("8.113.0.203.example"), false);
  });

  test("an invalid domain is not looked up", async () => {
    for (const text of ["", "a b", "[203.0.113.7]", `${"a".repeat(300)}.example`])
      assert.equal(await new DnsSenderDomains("127.0.0.1:9", clock).exists(text), null);
  });

  test("an answer is kept for minutes", async () => {
    const domains = fresh();
    assert.equal(await domains.exists("7.113.0.203.example"), true);
    domains.use("127.0.0.1:9");
    assert.equal(await domains.exists("7.113.0.203.example"), true);
    clock.advance(SENDER_DOMAIN_LIMITS.keptMs);
    assert.equal(await domains.exists("7.113.0.203.example"), null);
  });
});
