import assert from "node:assert/strict";
import { test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import { seeded } from "../../../test/kit/test-database.ts";
import { overlaps, prefixLength } from "../../core/net/ip.ts";
import { boundsOf, covering } from "./network-columns.ts";

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

test("covering lists the network and all around it, the narrowest first", () => {
  const around = covering(net("203.0.113.7"));
  assert.equal(around.length, 33);
  assert.deepEqual([around[0], around[8], around[32]], ["203.0.113.7/32", "203.0.113.0/24", "0.0.0.0/0"]);
  const v6 = covering(net("2001:db8:0:1::/64"));
  assert.equal(v6.length, 65);
  assert.deepEqual([v6[0], v6[32], v6[64]], ["2001:db8:0:1::/64", "2001:db8::/32", "::/0"]);
});
