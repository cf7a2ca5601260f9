import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { ip } from "../../../test/kit/samples.ts";
import { zoneServer } from "../../../test/kit/zone-server.ts";
import { DnsSenderDomains, SENDER_DOMAIN_LIMITS } from "./sender-domains.ts";

const ZONE = [{ name: "real.example", type: "A", value: "127.0.0.4" }] as const;
const DEAD = "127.0.0.1:9";
const CLIENT = ip("198.51.100.7");

test("without an answer no sender is judged, and the resolver is not asked again at once", async () => {
  const clock = new HandClock();
  const domains = new DnsSenderDomains(DEAD, clock);
  assert.equal(await domains.exists("none.example", CLIENT), null);
  domains.use(await zoneServer(ZONE));
  assert.equal(await domains.exists("none.example", CLIENT), null);
  clock.advance(SENDER_DOMAIN_LIMITS.failedMs);
  assert.equal(await domains.exists("none.example", CLIENT), false);
});

test("an invalid domain is not looked up", async () => {
  const domains = new DnsSenderDomains(await zoneServer(ZONE), new HandClock());
  for (const text of ["", "a b", "[203.0.113.7]", `${"a".repeat(300)}.example`])
    assert.equal(await domains.exists(text, CLIENT), null);
});

test("an answer is kept for minutes", async () => {
  const clock = new HandClock();
  const domains = new DnsSenderDomains(await zoneServer(ZONE), clock);
  assert.equal(await domains.exists("real.example", CLIENT), true);
  domains.use(DEAD);
  assert.equal(await domains.exists("real.example", CLIENT), true);
  clock.advance(SENDER_DOMAIN_LIMITS.keptMs);
  assert.equal(await domains.exists("real.example", CLIENT), null);
});

test("slow domains of a few networks keep neither other senders unchecked nor the resolver busy", async (t) => {
  const silent = createSocket("udp4").bind(0, "127.0.0.1");
  t.after(() => silent.close());
  await once(silent, "listening");
  const domains = new DnsSenderDomains(`127.0.0.1:${silent.address().port}`, new HandClock());
  let asked = 0;
  silent.on("message", () => (asked += 1));
  const slow = [1, 2, 3].flatMap((network) =>
    Array.from({ length: 30 }, (_, i) =>
      domains.exists(`d${i}.slow${network}.example`, ip(`198.51.${network}.${i + 1}`)),
    ),
  );
  domains.use(await zoneServer(ZONE));
  assert.equal(await domains.exists("none.example", CLIENT), false);
  assert.deepEqual(new Set(await Promise.all(slow)), new Set([null]));
  assert.equal(asked, 3 * SENDER_DOMAIN_LIMITS.inFlightOfNetwork);
});
