import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "../../../test/kit/test-database.ts";
import { parseIp } from "../../core/net/ip.ts";
import { addressesIn } from "./log-query.ts";

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

test("what stands before a colon may be an address with a port, or a longer address", () => {
  assert.deepEqual([...addressesIn("at 2001:db8::7:25.")], ["2001:db8::7:25", "2001:db8::7"]);
});

test("finds what a plain search finds by its definition, in any text", () => {
  const random = seeded(7);
  const below = (count: number): number => Math.floor(random() * count);
  const pieces = "198.51.100.7|2001:db8::7|:|::|.|25| |[|]|x|6|ffff|IPv6:|1:2:3:4:5:6:7:8".split("|");
  for (let n = 0; n < 20_000; n += 1) {
    const text = Array.from({ length: 1 + below(12) }, () => pieces[below(pieces.length)]).join("");
    const found = new Set(addressesIn(text));
    for (const [token] of text.matchAll(/[0-9A-Fa-f:.]{2,64}/g)) {
      const ip = parseIp(token) ?? parseIp(token.replace(/[.:]+$/, "").replace(/:\d{1,5}$/, ""));
      if (ip !== null && !text.includes("IPv6:")) assert.ok(found.has(ip), `${ip} in ${text}`);
    }
  }
});
