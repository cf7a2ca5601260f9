import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import { parseIp } from "./ip.ts";

const PARTS = [":", "::", "1", "aBcD", "12345", "g", "192.0.2.1", "0x1.2.3.4"] as const;

/** All texts with this number of parts. */
function textsOf(parts: number): readonly string[] {
  if (parts === 0) return [""];
  return textsOf(parts - 1).flatMap((text) => PARTS.map((part) => text + part));
}

test("a text is an address where Node says so", () => {
  for (const text of [0, 1, 2, 3, 4, 5].flatMap(textsOf)) assert.equal(parseIp(text) !== null, isIP(text) !== 0, text);
});

test("eight groups, or fewer with `::` at any place, or an IPv4 address for the last two", () => {
  let valid = 0;
  for (let count = 0; count <= 10; count++)
    for (const end of [[], ["203.0.113.7"], ["203.0.113.07"], ["203.0.113"]]) {
      const groups = [...Array.from({ length: count }, (_, i) => (i * 4_369).toString(16)), ...end];
      for (let at = -1; at <= groups.length; at++) {
        const text = at < 0 ? groups.join(":") : `${groups.slice(0, at).join(":")}::${groups.slice(at).join(":")}`;
        assert.equal(parseIp(text) !== null, isIP(text) !== 0, text);
        valid += Number(isIP(text) !== 0);
      }
    }
  assert.equal(valid, 60);
});
