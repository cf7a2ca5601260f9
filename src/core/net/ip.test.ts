import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  contains,
  hostPrefix,
  type Ip,
  isSingleAddress,
  isTooWide,
  isV4,
  neighbourhoodOf,
  networkAddress,
  overlaps,
  type Prefix,
  parseIp,
  parsePrefix,
  prefixLength,
  prefixOf,
} from "./ip.ts";

const addresses: readonly (readonly [text: string, ip: string | null])[] = [
  ["203.0.113.7", "203.0.113.7"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  // RFC 5952: lower case, no leading zeros, the longest run of zeros shortened, the first of equals, never one alone.
  ["2001:DB8::1", "2001:db8::1"],
  ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["1::", "1::"],
  // One client, one text: what a dual-stack socket sees is the IPv4 client.
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["::FFFF:CB00:7107", "203.0.113.7"],
  ["0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7"],
  ["::203.0.113.7", "::cb00:7107"],
  ["64:ff9b::203.0.113.7", "64:ff9b::cb00:7107"],
  ["1:2:3:4:5:6:203.0.113.7", "1:2:3:4:5:6:cb00:7107"],
  ["", null],
  ["unknown", null],
  ["203.0.113", null],
  ["203.0.113.256", null],
  ["203.0.113.07", null],
  ["203.0.113.7 ", null],
  ["203.0.113.7/32", null],
  ["3405803783", null],
  ["0xcb.0.113.7", null],
  ["fe80::1%eth0", null],
  ["[2001:db8::1]", null],
  ["2001:db8::1::2", null],
  ["1:2:3:4:5:6:7:8:9", null],
  [":::", null],
];
for (const [text, expected] of addresses)
  test(`parseIp of ${JSON.stringify(text)}`, () => assert.equal(parseIp(text), expected));

const networks: readonly (readonly [text: string, network: string | null])[] = [
  ["203.0.113.7", "203.0.113.7/32"],
  ["203.0.113.7/24", "203.0.113.0/24"],
  ["203.0.113.129/25", "203.0.113.128/25"],
  ["203.0.113.7/0", "0.0.0.0/0"],
  ["2001:db8:0:1:2:3:4:5/64", "2001:db8:0:1::/64"],
  ["2001:db8:ffff::/33", "2001:db8:8000::/33"],
  ["2001:db8::1", "2001:db8::1/128"],
  ["::/0", "::/0"],
  ["::ffff:203.0.113.7", "203.0.113.7/32"],
  ["::ffff:203.0.113.7/120", "203.0.113.0/24"],
  ["::ffff:203.0.113.7/128", "203.0.113.7/32"],
  ["::ffff:203.0.113.7/24", null],
  ["203.0.113.7/33", null],
  ["2001:db8::/129", null],
  ["203.0.113.7/", null],
  ["203.0.113.7/-1", null],
  ["203.0.113.7/2 4", null],
  ["203.0.113.7/24/24", null],
  ["203.0.113.7/1e1", null],
  ["/24", null],
  ["", null],
];
for (const [text, expected] of networks)
  test(`parsePrefix of ${JSON.stringify(text)}`, () => assert.equal(parsePrefix(text), expected));

test("an IPv4 address counts alone, an IPv6 address with its network", () => {
  assert.equal(prefixOf(ipOf("203.0.113.7"), 64), "203.0.113.7/32");
  assert.equal(prefixOf(ipOf("2001:db8:1:2:3:4:5:6"), 64), "2001:db8:1:2::/64");
  assert.equal(prefixOf(ipOf("2001:db8:1:2:3:4:5:6"), 48), "2001:db8:1::/48");
  assert.equal(prefixOf(ipOf("2001:db8:1:2:3:4:5:6"), 128), "2001:db8:1:2:3:4:5:6/128");
});

// The oracle: an address as one number, a network as the range of those that share its first bits.
type Bits = Readonly<{ width: 32 | 128; value: bigint }>;

const v4Bits = fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value): Bits => ({ width: 32, value }));
const v6Bits = fc
  .oneof(
    fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
    // Zeros in runs, which is what shortening is about.
    fc.array(fc.constantFrom(0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 }).map(joinGroups),
  )
  .filter((value) => value >> 32n !== 0xffffn)
  .map((value): Bits => ({ width: 128, value }));
const anyBits = fc.oneof(v4Bits, v6Bits);
const lengthOf = (bits: Bits) => fc.nat(bits.width);
const bitsAndLength = anyBits.chain((bits) => fc.tuple(fc.constant(bits), lengthOf(bits)));

test("an address written out in full is read as the same number, and its canonical text as itself", () => {
  fc.assert(
    fc.property(anyBits, (bits) => {
      const address = ipOf(inFull(bits));
      assert.deepEqual(bitsOf(address), bits);
      assert.equal(parseIp(address), address);
      assert.equal(isV4(address), bits.width === 32);
    }),
  );
});

test("whatever form of address the generator makes is read, and only once canonical", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const address = ipOf(text);
      assert.equal(parseIp(address), address);
      assert.equal(parsePrefix(address), hostPrefix(address));
    }),
  );
});

test("no text at all makes the parsers throw", () => {
  const near = fc.string({ unit: fc.constantFrom(..."0123456789abcdefF.:/%x ") });
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), near), (text) => {
      const address = parseIp(text);
      if (address !== null) assert.equal(parseIp(address), address);
      const network = parsePrefix(text);
      if (network !== null) assert.equal(parsePrefix(network), network);
    }),
    { seed: 2, numRuns: 5_000 },
  );
});

test("a network keeps its first bits and clears the rest", () => {
  fc.assert(
    fc.property(bitsAndLength, ([bits, length]) => {
      const network = prefixFrom(bits, length);
      assert.equal(prefixLength(network), length);
      assert.deepEqual(bitsOf(networkAddress(network)), { ...bits, value: first(bits, length) });
      assert.equal(isSingleAddress(network), length === bits.width);
    }),
  );
});

test("a network contains exactly the addresses that share its first bits", () => {
  fc.assert(
    fc.property(bitsAndLength, anyBits, fc.nat(128), ([bits, length], other, flip) => {
      const network = prefixFrom(bits, length);
      // A random address is never inside; one with a single bit changed is, as often as not.
      const near: Bits = { ...bits, value: bits.value ^ (1n << BigInt(flip % bits.width)) };
      for (const candidate of [bits, near, other])
        if (candidate.width === 32 || candidate.value >> 32n !== 0xffffn)
          assert.equal(
            contains(network, ipOf(inFull(candidate))),
            candidate.width === bits.width && first(candidate, length) === first(bits, length),
          );
    }),
  );
});

test("two networks overlap exactly when they agree on the bits that both fix", () => {
  const pair = bitsAndLength.chain(([bits, length]) => {
    const near = fc.nat(bits.width - 1).map((flip): Bits => ({ ...bits, value: bits.value ^ (1n << BigInt(flip)) }));
    const other = fc.oneof(near, anyBits).filter(({ width, value }) => width === 32 || value >> 32n !== 0xffffn);
    return fc.tuple(
      fc.constant([bits, length] as const),
      other.chain((b) => fc.tuple(fc.constant(b), lengthOf(b))),
    );
  });
  fc.assert(
    fc.property(pair, ([[a, aLength], [b, bLength]]) => {
      const shared = Math.min(aLength, bLength);
      const expected = a.width === b.width && first(a, shared) === first(b, shared);
      assert.equal(overlaps(prefixFrom(a, aLength), prefixFrom(b, bLength)), expected);
      assert.equal(overlaps(prefixFrom(b, bLength), prefixFrom(a, aLength)), expected);
    }),
  );
});

test("an address is always in the unit in which it is counted", () => {
  fc.assert(
    fc.property(anyBits, fc.integer({ min: 32, max: 128 }), (bits, ipv6Length) => {
      const address = ipOf(inFull(bits));
      assert.ok(contains(prefixOf(address, ipv6Length), address));
    }),
  );
});

function ipOf(text: string): Ip {
  const address = parseIp(text);
  assert.ok(address !== null, `${text} is an address`);
  return address;
}

function prefixFrom(bits: Bits, length: number): Prefix {
  const network = parsePrefix(`${inFull(bits)}/${length}`);
  assert.ok(network !== null, `${inFull(bits)}/${length} is a network`);
  return network;
}

function first(bits: Bits, length: number): bigint {
  const rest = BigInt(bits.width - length);
  return (bits.value >> rest) << rest;
}

function joinGroups(groups: readonly bigint[]): bigint {
  return groups.reduce((value, group) => (value << 16n) | group, 0n);
}

function inFull({ width, value }: Bits): string {
  const [count, bits, radix] = width === 32 ? [4, 8n, 10] : [8, 16n, 16];
  return Array.from({ length: count }, (_, i) =>
    ((value >> (BigInt(count - 1 - i) * bits)) & ((1n << bits) - 1n)).toString(radix),
  ).join(width === 32 ? "." : ":");
}

/** Reads canonical text by the rules of RFC 4291 section 2.2, without the library that wrote it. */
function bitsOf(address: Ip): Bits {
  if (!address.includes(":"))
    return { width: 32, value: address.split(".").reduce((value, part) => (value << 8n) | BigInt(part), 0n) };
  const [left = "", right] = address.split("::");
  const groups = (text: string): readonly bigint[] =>
    text === "" ? [] : text.split(":").map((group) => BigInt(`0x${group}`));
  const before = groups(left);
  const after = groups(right ?? "");
  const zeros = Array.from({ length: right === undefined ? 0 : 8 - before.length - after.length }, () => 0n);
  return { width: 128, value: joinGroups([...before, ...zeros, ...after]) };
}

test("an entry that covers more than /8, or /16 of IPv6, is too wide to be trusted", () => {
  const width = (text: string): boolean => isTooWide(network(text));
  assert.deepEqual(["10.0.0.0/8", "10.0.0.0/7", "2001::/16", "2000::/15"].map(width), [false, true, false, true]);
});

test("neighbours are those of an IPv4 /24, or of an IPv6 /48 where the unit itself is no wider", () => {
  assert.equal(neighbourhoodOf(address("203.0.113.7"), 64), "203.0.113.0/24");
  assert.equal(neighbourhoodOf(address("2001:db8:1:2::7"), 64), "2001:db8:1::/48");
  assert.equal(neighbourhoodOf(address("2001:db8:1:2::7"), 32), "2001:db8::/32");
});

test("a single address is a network of one, whatever the family", () => {
  const single = (text: string): boolean => isSingleAddress(network(text));
  assert.deepEqual(["203.0.113.7", "203.0.113.6/31", "2001:db8::7", "2001:db8::/32", "2001:db8::/127"].map(single), [
    true,
    false,
    true,
    false,
    false,
  ]);
});

test("a mapped network that is wider than all of IPv4 is none", () => {
  assert.equal(parsePrefix("::ffff:203.0.113.0/96"), "0.0.0.0/0");
  assert.equal(parsePrefix("::ffff:203.0.113.0/95"), null);
});

function address(text: string): Ip {
  const parsed = parseIp(text);
  assert.ok(parsed !== null, text);
  return parsed;
}

function network(text: string): Prefix {
  const parsed = parsePrefix(text);
  assert.ok(parsed !== null, text);
  return parsed;
}
