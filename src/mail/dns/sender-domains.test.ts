import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { zoneServer } from "../../../test/kit/zone-server.ts";
import { DnsSenderDomains, SENDER_DOMAIN_LIMITS } from "./sender-domains.ts";

const ZONE = [{ name: "real.example", type: "A", value: "127.0.0.4" }] as const;
const DEAD = "127.0.0.1:9";

test("a domain with an address accepts mail, a missing one does not", async () => {
  const domains = new DnsSenderDomains(await zoneServer(ZONE), new HandClock());
  assert.equal(await domains.exists("real.example"), true);
  assert.equal(await domains.exists("none.example"), false);
});

test("without an answer no sender is judged, and the resolver is not asked again at once", async () => {
  const clock = new HandClock();
  const domains = new DnsSenderDomains(DEAD, clock);
  assert.equal(await domains.exists("none.example"), null);
  domains.use(await zoneServer(ZONE));
  assert.equal(await domains.exists("none.example"), null);
  clock.advance(SENDER_DOMAIN_LIMITS.failedMs);
  assert.equal(await domains.exists("none.example"), false);
});

test("an invalid domain is not looked up", async () => {
  const domains = new DnsSenderDomains(await zoneServer(ZONE), new HandClock());
  for (const text of ["", "a b", "[203.0.113.7]", `${"a".repeat(300)}.example`])
    assert.equal(await domains.exists(text), null);
});

test("an answer is kept for minutes", async () => {
  const clock = new HandClock();
  const domains = new DnsSenderDomains(await zoneServer(ZONE), clock);
  assert.equal(await domains.exists("real.example"), true);
  domains.use(DEAD);
  assert.equal(await domains.exists("real.example"), true);
  clock.advance(SENDER_DOMAIN_LIMITS.keptMs);
  assert.equal(await domains.exists("real.example"), null);
});
