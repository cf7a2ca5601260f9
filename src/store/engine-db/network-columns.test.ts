import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { net } from "../../../test/kit/samples.ts";
import { seeded } from "../../../test/kit/test-database.ts";
import { contains, networkAddress, overlaps, parsePrefix, prefixLength } from "../../core/net/ip.ts";
import { boundsOf, sharedBeginning, textsWithin } from "./network-columns.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("bounds are the first and last address as 16 bytes", () => {
  const cases = [
    ["203.0.113.7/32", "00000000000000000000ffffcb007107", "00000000000000000000ffffcb007107"],
    ["203.0.112.0/23", "00000000000000000000ffffcb007000", "00000000000000000000ffffcb0071ff"],
    ["0.0.0.0/0", "00000000000000000000ffff00000000", "00000000000000000000ffffffffffff"],
    ["2001:db8::/33", "20010db8000000000000000000000000", "20010db87fffffffffffffffffffffff"],
    ["::/0", "00000000000000000000000000000000", "ffffffffffffffffffffffffffffffff"],
    ["::1/128", "00000000000000000000000000000001", "00000000000000000000000000000001"],
  ] as const;
  for (const [network, first, last] of cases) {
    const bounds = boundsOf(net(network));
    assert.deepEqual([hex(bounds.first), hex(bounds.last)], [first, last], network);
  }
});

test("ranges nest exactly as networks of one family do, seed 7", () => {
  const random = seeded(7);
  const some = (): string =>
    random() < 0.5
      ? `203.0.${Math.floor(random() * 4)}.${Math.floor(random() * 256)}/${20 + Math.floor(random() * 13)}`
      : `2001:db8:${Math.floor(random() * 4)}::${Math.floor(random() * 9)}/${30 + Math.floor(random() * 99)}`;
  let nested = 0;
  for (let i = 0; i < 2_000; i++) {
    const [inner, outer] = [net(some()), net(some())];
    const [a, b] = [boundsOf(inner), boundsOf(outer)];
    const within = hex(a.first) >= hex(b.first) && hex(a.last) <= hex(b.last);
    const wanted = overlaps(inner, outer) && prefixLength(outer) <= prefixLength(inner);
    assert.equal(within, wanted, `${inner} in ${outer}`);
    nested += Number(within);
  }
  assert.ok(nested > 50 && nested < 1_900, `${nested} pairs nest`);
});

test("a /64 is found without its neighbours, wherever it has zeros", () => {
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

test("sharedBeginning returns the longest common prefix", () => {
  assert.equal(sharedBeginning(["2001:db8:0:0:", "2001:db8::"]), "2001:db8:");
  assert.equal(sharedBeginning(["2001:", "::"]), "");
  assert.equal(sharedBeginning(["203.0."]), "203.0.");
});
