import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsQuery, securityCommand } from "./schemas.ts";

test("an IPv6 address stands for the network in which it is judged", () => {
  const { ip } = eventsQuery(56).parse({ ip: "2001:DB8:0:1ff::7" });
  assert.equal(ip, "2001:db8:0:100::/56");
  assert.equal(eventsQuery(64).parse({ ip: "::ffff:203.0.113.7" }).ip, "203.0.113.7/32");
  assert.equal(eventsQuery(64).parse({ ip: "2001:db8::/32" }).ip, "2001:db8::/32");
});

test("a ban may be permanent; a reason may be in any language, without control characters", () => {
  const isRight = (more: object) => securityCommand.safeParse({ action: "ban", ip: "203.0.113.7", ...more }).success;
  assert.ok(isRight({ for: "permanent" }));
  assert.ok(isRight({ reason: "Überlastung, 攻撃" }));
  for (const mark of ["\n", "\u0000", "\u001b[2J", "\u2028"])
    assert.ok(!isRight({ reason: mark }), JSON.stringify(mark));
});
