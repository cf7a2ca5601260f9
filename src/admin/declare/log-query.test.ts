import assert from "node:assert/strict";
import { test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import { seeded } from "../../../test/kit/test-database.ts";
import { parseIp } from "../../core/net/ip.ts";
import { instant } from "../../core/time.ts";
import { addressesIn, type LogQuery, matchesQuery, textsOf } from "./log-query.ts";

const ALL: LogQuery = { grep: null, since: null, network: null, queueId: null, account: null };
const LINE =
  "Nov 20 10:43:07 mail postfix/lmtp[17907]: 72CED1EABE5: to=<anna@example.test>, relay=x[198.51.100.7]:25, status=sent";
const has = (query: Partial<LogQuery>, line = LINE): boolean =>
  matchesQuery({ component: "mail", at: instant(1_000), line }, { ...ALL, ...query });

test("text is matched ignoring case, and not as a pattern", () => {
  assert.ok(has({ grep: "STATUS=sent" }));
  assert.ok(!has({ grep: "status=.*" }));
});

test("an address or any of its network, but none that only starts with the same digits", () => {
  for (const [line, network, found] of [
    [LINE, "198.51.100.7", true],
    [LINE, "198.51.100.0/24", true],
    [LINE, "198.51.100.70", false],
    ["rip=198.51.100.70, lip=203.0.113.10", "198.51.100.7", false],
    ["rip=2001:db8:1::7,", "2001:db8::/48", false],
    ["unknown[2001:db8::7]:25", "2001:db8::/64", true],
    ["helo=<[IPv6:2001:db8::7]>", "2001:db8::7", true],
    ["helo=<[IPv6:2001:db8::7]>", "6:2001:db8::/48", false],
  ] as const)
    assert.equal(has({ network: net(network) }, line), found, `${network} in ${line}`);
});

test("a queue id and an account as whole words", () => {
  assert.ok(has({ queueId: "72CED1EABE5" }));
  assert.ok(!has({ queueId: "72CED1EABE" }));
  assert.ok(has({ account: "Anna@Example.test" }));
  for (const line of ["<joanna@example.test>", "<anna@example.tests>", "<x.anna@example.test>"])
    assert.ok(!has({ account: "anna@example.test" }, line), line);
  for (const line of ["<anna@bücher.test>", "<anna@xn--bcher-kva.test>"])
    assert.ok(has({ account: "Anna@Bücher.test" }, line), line);
});

test("since when", () => {
  assert.ok(has({ since: instant(1_000) }));
  assert.ok(!has({ since: instant(1_001) }));
});

test("every matching line has one of the texts, in lower case; there are none for an address with several notations", () => {
  const of = (query: Partial<LogQuery>) => textsOf({ ...ALL, ...query });
  const network = (text: string) => of({ network: net(text) });
  assert.equal(of({}), null);
  assert.deepEqual(of({ queueId: "72CED1EABE5", grep: "x" }), { texts: ["72ced1eabe5"], inBytes: true });
  assert.deepEqual(of({ account: "Anna@Example.test" }), { texts: ["anna@example.test"], inBytes: false });
  assert.deepEqual(of({ account: "a@Bücher.test" })?.texts, ["a@bücher.test", "a@xn--bcher-kva.test"]);
  assert.deepEqual(network("198.51.100.7"), { texts: ["198.51.100.7", "ffff:"], inBytes: true });
  assert.deepEqual(network("198.51.100.0/23")?.texts, ["198.51.", "ffff:"]);
  assert.equal(network("128.0.0.0/1"), null);
  assert.deepEqual(network("2001:db8::7"), { texts: ["2001:"], inBytes: true });
  assert.equal(network("::1"), null);
  assert.equal(network("0:1:2:3:4:5:6:7"), null, "which may be written ::1:2:3:4:5:6:7");
  assert.equal(network("2000::/3"), null);
});

test("addresses in every notation", () => {
  for (const [text, found] of [
    ["connect from unknown[198.51.100.7]:25", ["198.51.100.7"]],
    ["from 198.51.100.7:4025.", ["198.51.100.7"]],
    ["rip=2001:DB8:0::7, lip=203.0.113.1", ["2001:db8::7", "203.0.113.1"]],
    ["address 2001:db8::7: Name or service not known", ["2001:db8::7"]],
    ["[IPv6:2001:db8::7]", ["2001:db8::7"]],
    ["[ipv6:::1]", ["::1"]],
    ["::ffff:198.51.100.7 and 0:0:0:0:0:FFFF:C633:6407", ["198.51.100.7", "198.51.100.7"]],
    ["64:ff9b::198.51.100.7", ["64:ff9b::c633:6407"]],
    ["Nov 20 08:00:00 add cafe 1.2.3 1:2:3:4:5:6:7", []],
    ["198.51.100.777 198.51.100.7.1", []],
    ["", []],
  ] as const)
    assert.deepEqual([...addressesIn(text)], [...found], text);
});

test("text with a final group may be an address with a port, or a longer address", () => {
  assert.deepEqual([...addressesIn("at 2001:db8::7:25.")], ["2001:db8::7:25", "2001:db8::7"]);
});

test("finds at least what a naive search finds, in any text", () => {
  const random = seeded(7);
  const below = (count: number): number => Math.floor(random() * count);
  const pieces = "198.51.100.7|2001:db8::7|:|::|.|25| |[|]|x|6|ffff|IPv6:|1:2:3:4:5:6:7:8".split("|");
  for (let n = 0; n < 5_000; n += 1) {
    const text = Array.from({ length: 1 + below(12) }, () => pieces[below(pieces.length)]).join("");
    const found = new Set(addressesIn(text));
    for (const [token] of text.matchAll(/[0-9A-Fa-f:.]{2,64}/g)) {
      const ip = parseIp(token) ?? parseIp(token.replace(/[.:]+$/, "").replace(/:\d{1,5}$/, ""));
      if (ip !== null && !text.includes("IPv6:")) assert.ok(found.has(ip), `${ip} in ${text}`);
    }
  }
});
