import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { net } from "../../../test/kit/samples.ts";
import { contains, networkAddress, parsePrefix, prefixLength } from "../../core/net/ip.ts";
import { exactTextsWithin, sharedBeginning, textsWithin } from "./network-columns.ts";

test("a /64 is found without its neighbours, wherever its zeros are", () => {
  const expected: readonly (readonly [string, readonly string[]])[] = [
    ["203.0.112.0/20", ["203.0."]],
    ["2001:db8:1:2::/64", ["2001:db8:1:2:"]],
    ["2001:db8:0:1::/64", ["2001:db8:0:1:"]],
    ["2001:db8:1::/64", ["2001:db8:1:0:", "2001:db8:1::"]],
    ["2001:db8::/64", ["2001:db8:0:0:", "2001:db8::"]],
    ["2001:0:0:1::/64", ["2001:0:0:1:", "2001::1:"]],
    ["2001:db8:1:ab00::/56", ["2001:db8:1:ab"]],
    ["2001:db8:1:f0::/60", ["2001:db8:1:f"]],
    ["2001:db8:1::/60", ["2001:db8:1:"]],
    ["::/0", [""]],
  ];
  for (const [network, texts] of expected) assert.deepEqual(textsWithin(net(network)), texts, network);
});

test("each network within another starts with exactly one of its texts", () => {
  const group = fc.constantFrom(0, 0, 0, 1, 0xff, 0xab12, 0xffff);
  const v6 = fc.array(group, { minLength: 8, maxLength: 8 }).map((all) => all.map((one) => one.toString(16)).join(":"));
  const v4 = fc.array(fc.constantFrom(0, 1, 10, 255), { minLength: 4, maxLength: 4 }).map((all) => all.join("."));
  const lengths = fc.tuple(fc.integer({ min: 0, max: 127 }), fc.integer({ min: 0, max: 128 }));
  fc.assert(
    fc.property(fc.oneof(v6, v4), lengths, (address, [wide, narrow]) => {
      const longest = address.includes(":") ? 128 : 32;
      const outer = parsePrefix(`${address}/${Math.min(wide, longest - 1)}`);
      const inner = parsePrefix(`${address}/${Math.min(Math.max(wide, narrow), longest)}`);
      // An IPv4-mapped address is an IPv4 address, and lies in no IPv6 network.
      if (outer === null || inner === null || !contains(outer, networkAddress(inner))) return;
      if (prefixLength(inner) < prefixLength(outer)) return;
      const found = textsWithin(outer).filter((text) => inner.startsWith(text));
      assert.equal(found.length, 1, `${inner} in ${outer}: ${textsWithin(outer).join(" ")}`);
    }),
    { numRuns: 2_000 },
  );
});

test("of IPv4 there are texts with which only networks within it start", () => {
  assert.deepEqual(exactTextsWithin(net("203.0.112.0/22")), ["203.0.112.", "203.0.113.", "203.0.114.", "203.0.115."]);
  assert.deepEqual(exactTextsWithin(net("203.0.113.6/31")), ["203.0.113.6/", "203.0.113.7/"]);
  assert.deepEqual(exactTextsWithin(net("203.0.113.7")), ["203.0.113.7/"]);
  assert.deepEqual(exactTextsWithin(net("10.0.0.0/8")), ["10."]);
  const octet = fc.constantFrom(0, 1, 10, 20, 100, 200, 255);
  const address = fc.array(octet, { minLength: 4, maxLength: 4 }).map((all) => all.join("."));
  fc.assert(
    fc.property(address, address, fc.integer({ min: 1, max: 32 }), (one, other, length) => {
      const outer = parsePrefix(`${one}/${length}`) ?? assert.fail();
      const texts = exactTextsWithin(outer);
      assert.ok(texts.length <= 256);
      const inner = net(other);
      const matches = texts.filter((text) => inner.startsWith(text)).length;
      assert.equal(matches, contains(outer, networkAddress(inner)) ? 1 : 0, `${inner} in ${outer}`);
    }),
    { numRuns: 1_000 },
  );
});

test("what texts share", () => {
  assert.equal(sharedBeginning(["2001:db8:0:0:", "2001:db8::"]), "2001:db8:");
  assert.equal(sharedBeginning(["2001:", "::"]), "");
  assert.equal(sharedBeginning(["203.0."]), "203.0.");
});
