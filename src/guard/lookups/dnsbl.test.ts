import assert from "node:assert/strict";
import { test } from "node:test";
import { ip } from "../../../test/kit/samples.ts";
import { publicZone } from "../../core/events/mail.ts";
import { listQuery, readListAnswer, testPoints } from "./dnsbl.ts";

test("addresses are asked about from the last byte or nibble to the first (RFC 5782, 2.1 and 2.4)", () => {
  assert.equal(listQuery(ip("203.0.113.7"), "zen.spamhaus.org"), "7.113.0.203.zen.spamhaus.org");
  const name = "f.f.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example.com";
  assert.equal(listQuery(ip("2001:db8:1:2:3:4:567:89ff"), "ugly.example.com"), name);
});

test("the test points are those of RFC 5782, section 5", () => {
  assert.deepEqual(testPoints("bl.example", 4), { listed: "2.0.0.127.bl.example", notListed: "1.0.0.127.bl.example" });
  const { listed, notListed } = testPoints("bl.example", 6);
  assert.match(listed, /^2\.0\.0\.0\.0\.0\.f\.7\.f\.f\.f\.f(\.0){20}\.bl\.example$/);
  assert.match(notListed, /^1\.0\.0\.0\.0\.0\.f\.7\.f\.f\.f\.f(\.0){20}\.bl\.example$/);
});

for (const [zone, addresses, type] of [
  ["zen.spamhaus.org", ["127.0.0.2"], "listed"],
  ["zen.spamhaus.org", ["127.0.0.11"], "listed"],
  ["zen.spamhaus.org", ["127.0.0.9", "127.0.0.2"], "listed"],
  ["zen.spamhaus.org", ["127.0.0.12"], "nothing"],
  ["zen.spamhaus.org", ["127.0.1.2"], "nothing"],
  ["sbl.spamhaus.org", ["127.0.0.1"], "nothing"],
  ["zen.spamhaus.org", ["127.255.255.252"], "refused"],
  ["zen.spamhaus.org", ["127.255.255.254"], "refused"],
  ["zen.spamhaus.org", ["127.0.0.2", "127.255.255.255"], "refused"],
  ["bl.spamcop.net", ["127.0.0.2"], "listed"],
  ["bl.spamcop.net", ["127.0.0.3"], "nothing"],
  ["bl.spamcop.net", ["127.255.255.254"], "refused"],
  ["bl.example", ["127.0.0.200"], "listed"],
  ["bl.example", ["127.9.8.7"], "listed"],
  ["bl.example", ["203.0.113.80"], "nothing"],
  ["notspamhaus.org", ["127.0.0.200"], "listed"],
  ["bl.example", [], "nothing"],
] as const)
  test(`${zone} answering ${addresses.join(" and ")} means: ${type}`, () =>
    assert.equal(readListAnswer(zone, addresses).type, type));

test("a refusal with an unknown code is an error", () => {
  const read = readListAnswer("bl.example", ["127.255.255.1"]);
  assert.deepEqual(read, { type: "refused", why: "127.255.255.1 (an error)" });
});

test("a customer's key appears nowhere", () => {
  const key = "abcdefghijklmnopqrstuvwxyz";
  assert.equal(publicZone(`${key}.zen.dq.spamhaus.net`), "zen.dq.spamhaus.net");
  assert.equal(publicZone("zen.spamhaus.org"), "zen.spamhaus.org");
  assert.equal(readListAnswer(`${key}.zen.dq.spamhaus.net`, ["127.0.0.4"]).type, "listed");
});
