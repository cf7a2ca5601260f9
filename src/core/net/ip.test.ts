import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { ip, net } from "../../../test/kit/samples.ts";
import {
  contains,
  covering,
  hostPrefix,
  type Ip,
  inBoth,
  isLoopback,
  isOutside,
  isPrivate,
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
  printPrefix,
} from "./ip.ts";

const addresses: readonly (readonly [text: string, expected: string])[] = [
  ["203.0.113.7", "203.0.113.7"],
  // RFC 5952: lower case, no leading zeros, the longest run of zeros shortened, the first of equals, never a single one.
  ["2001:DB8::1", "2001:db8::1"],
  ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["1::", "1::"],
  // One client, one text: the mapped address that a dual-stack socket sees is the IPv4 client.
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["::FFFF:CB00:7107", "203.0.113.7"],
  ["64:ff9b::203.0.113.7", "64:ff9b::cb00:7107"],
];
for (const [text, expected] of addresses)
  test(`parseIp of ${JSON.stringify(text)}`, () => assert.equal(parseIp(text), expected));
for (const [why, texts] of Object.entries({
  "it has neither dots nor colons": ["", "unknown", "3405803783"],
  "its numbers are not plain decimals": ["203.0.113.07", "0xcb.0.113.7"],
  "something follows": ["203.0.113.7 ", "203.0.113.7/32", "fe80::1%eth0"],
  "it has brackets": ["[2001:db8::1]"],
}))
  for (const text of texts)
    test(`not an address, because ${why}: ${JSON.stringify(text)}`, () => assert.equal(parseIp(text), null));

const prefixes: readonly (readonly [text: string, expected: string])[] = [
  ["203.0.113.7", "203.0.113.7/32"],
  ["203.0.113.7/0", "0.0.0.0/0"],
  ["2001:db8::1", "2001:db8::1/128"],
  ["::/0", "::/0"],
  ["::ffff:203.0.113.7", "203.0.113.7/32"],
  ["::ffff:203.0.113.7/120", "203.0.113.0/24"],
  ["::ffff:203.0.113.0/96", "0.0.0.0/0"],
];
for (const [text, expected] of prefixes)
  test(`parsePrefix of ${JSON.stringify(text)}`, () => assert.equal(parsePrefix(text), expected));
for (const [why, texts] of Object.entries({
  "it has no address": ["", "/24"],
  "its length exceeds the address": ["203.0.113.7/33", "2001:db8::/129"],
  "it is wider than all mapped IPv4 addresses": ["::ffff:203.0.113.0/95", "::ffff:203.0.113.7/24"],
  "its length is not a number": ["203.0.113.7/", "203.0.113.7/-1", "203.0.113.7/1e1"],
}))
  for (const text of texts)
    test(`not a network, because ${why}: ${JSON.stringify(text)}`, () => assert.equal(parsePrefix(text), null));

test("IPv4 addresses are counted individually, IPv6 addresses by network", () => {
  assert.equal(prefixOf(ip("203.0.113.7"), 64), "203.0.113.7/32");
  assert.equal(prefixOf(ip("2001:db8:1:2:3:4:5:6"), 64), "2001:db8:1:2::/64");
  assert.equal(prefixOf(ip("2001:db8:1:2:3:4:5:6"), 48), "2001:db8:1::/48");
  assert.equal(prefixOf(ip("2001:db8:1:2:3:4:5:6"), 128), "2001:db8:1:2:3:4:5:6/128");
});

test("an entry that covers more than /8, or /16 of IPv6, is too wide to be trusted", () => {
  const networks = ["10.0.0.0/8", "10.0.0.0/7", "2001::/16", "2000::/15"].map(net);
  assert.deepEqual(networks.map(isTooWide), [false, true, false, true]);
});

test("neighbours share an IPv4 /24, or an IPv6 /48 unless the prefix is wider", () => {
  assert.equal(neighbourhoodOf(ip("203.0.113.7"), 64), "203.0.113.0/24");
  assert.equal(neighbourhoodOf(ip("2001:db8:1:2::7"), 64), "2001:db8:1::/48");
  assert.equal(neighbourhoodOf(ip("2001:db8:1:2::7"), 32), "2001:db8::/32");
});

test("private addresses are those of RFC 1918, 3927, 4193 and 6598, and link-local ones", () => {
  for (const [source, texts] of Object.entries({
    "RFC 1918": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.7.7"],
    "RFC 3927": ["169.254.1.1"],
    "RFC 4193": ["fd00::1"],
    "RFC 6598": ["100.64.0.1", "100.127.0.1"],
    "link-local": ["fe80::1", "febf::1"],
  }))
    for (const text of texts) assert.ok(isPrivate(ip(text)), `${source}: ${text}`);
  for (const [where, texts] of Object.entries({
    "beside them": ["172.32.0.1", "172.15.0.1", "192.169.0.1", "100.128.0.1", "110.0.0.1", "fec0::1"],
    elsewhere: ["203.0.113.7", "2001:db8::1"],
  }))
    for (const text of texts) assert.ok(!isPrivate(ip(text)), `${where}: ${text}`);
});

test("loopback is ::1 and 127.0.0.0/8, however it is written", () => {
  for (const text of ["127.0.0.1", "127.255.255.255", "::ffff:127.0.0.1", "::1"]) assert.ok(isLoopback(ip(text)), text);
  for (const text of ["128.0.0.1", "12.7.0.1", "::", "::1:1"]) assert.ok(!isLoopback(ip(text)), text);
});

test("all of 127.0.0.0/8 counts as one client", () => {
  for (const networkOf of [prefixOf, neighbourhoodOf]) assert.equal(networkOf(ip("127.9.8.7"), 64), "127.0.0.0/8");
  assert.equal(prefixOf(ip("::1"), 64), "::1/128");
});

const PARTS = [":", "::", "1", "aBcD", "12345", "g", "192.0.2.1", "0x1.2.3.4"] as const;

function textsOf(parts: number): readonly string[] {
  if (parts === 0) return [""];
  return textsOf(parts - 1).flatMap((text) => PARTS.map((part) => text + part));
}

test("a text is an address if Node says so", () => {
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

// The oracle: an address as one number, a network as the range of those that share its first bits.
type Bits = Readonly<{ width: 32 | 128; value: bigint }>;

const v4Bits = fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value): Bits => ({ width: 32, value }));
const v6Bits = fc
  .oneof(
    fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
    // Zeros in runs, which are shortened.
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
      const address = ip(inFull(bits));
      assert.deepEqual(bitsOf(address), bits);
      assert.equal(parseIp(address), address);
      assert.equal(parsePrefix(address), hostPrefix(address));
      assert.equal(isV4(address), bits.width === 32);
    }),
  );
});

test("no text makes the parsers throw", () => {
  const near = fc.string({ unit: fc.constantFrom(..."0123456789abcdefF.:/%x ") });
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: ANY_CHARACTER }), near), (text) => {
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
          assert.equal(contains(network, ip(inFull(candidate))), isAlike(candidate, bits, length));
    }),
  );
});

test("two networks overlap exactly when they agree on the bits that both fix", () => {
  const pair = bitsAndLength.chain(([bits, length]) => {
    const near = fc.nat(bits.width - 1).map((flip): Bits => ({ ...bits, value: bits.value ^ (1n << BigInt(flip)) }));
    const other = fc.oneof(near, anyBits).filter(({ width, value }) => width === 32 || value >> 32n !== 0xffffn);
    const otherAndLength = other.chain((b) => fc.tuple(fc.constant(b), lengthOf(b)));
    return fc.tuple(fc.constant([bits, length] as const), otherAndLength);
  });
  fc.assert(
    fc.property(pair, ([[a, aLength], [b, bLength]]) => {
      const expected = isAlike(a, b, Math.min(aLength, bLength));
      assert.equal(overlaps(prefixFrom(a, aLength), prefixFrom(b, bLength)), expected);
      assert.equal(overlaps(prefixFrom(b, bLength), prefixFrom(a, aLength)), expected);
    }),
  );
});

function prefixFrom(bits: Bits, length: number): Prefix {
  return net(`${inFull(bits)}/${length}`);
}

function first(bits: Bits, length: number): bigint {
  const rest = BigInt(bits.width - length);
  return (bits.value >> rest) << rest;
}

/** Networks that agree on their first bits. */
function isAlike(a: Bits, b: Bits, length: number): boolean {
  return a.width === b.width && first(a, length) === first(b, length);
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

test("a network of one address is shown without its length", () => {
  const texts = ["203.0.113.7/32", "203.0.113.0/24", "2001:db8::1/128", "2001:db8::/32"].map(printPrefix);
  assert.deepEqual(texts, ["203.0.113.7", "203.0.113.0/24", "2001:db8::1", "2001:db8::/32"]);
});

test("covering lists the network and all around it, narrowest first", () => {
  const around = covering(net("203.0.113.7"));
  assert.equal(around.length, 33);
  assert.deepEqual([around[0], around[8], around[32]], ["203.0.113.7/32", "203.0.113.0/24", "0.0.0.0/0"]);
  const v6 = covering(net("2001:db8:0:1::/64"));
  assert.equal(v6.length, 65);
  assert.deepEqual([v6[0], v6[32], v6[64]], ["2001:db8:0:1::/64", "2001:db8::/32", "::/0"]);
});

const nets = (...texts: readonly string[]) => texts.map(net);

test("without networks, sign-ins are allowed from anywhere", () => {
  assert.equal(isOutside(ip("203.0.113.7"), [], []), false);
  assert.equal(inBoth([], []), null);
});

test("both the server's and the account's networks must contain the address", () => {
  const server = nets("203.0.113.0/24", "2001:db8::/32");
  const account = nets("203.0.113.64/26", "198.51.100.0/24");
  assert.equal(isOutside(ip("203.0.113.70"), server, account), false);
  assert.equal(isOutside(ip("203.0.113.7"), server, account), true);
  assert.equal(isOutside(ip("198.51.100.7"), server, account), true);
  assert.equal(isOutside(ip("2001:db8::7"), server, account), true);
  assert.equal(isOutside(ip("2001:db8::7"), nets("0.0.0.0/0"), []), true);
  assert.deepEqual(inBoth(server, account), nets("203.0.113.64/26"));
  assert.deepEqual(inBoth(server, []), server);
  assert.deepEqual(inBoth([], account), account);
  assert.deepEqual(inBoth(nets("203.0.113.0/24"), nets("198.51.100.0/24")), []);
});

test("Dovecot's settings and the guard's decisions are the same", () => {
  const network = fc
    .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 26, max: 32 }))
    .map(([last, length]) => net(`203.0.113.${last}/${length}`));
  const list = fc.array(network, { maxLength: 3 });
  fc.assert(
    fc.property(list, list, fc.integer({ min: 0, max: 80 }), (server, account, last) => {
      const address = ip(`203.0.113.${last}`);
      const allowed = inBoth(server, account);
      const inside = allowed === null || allowed.some((each) => contains(each, address));
      assert.equal(isOutside(address, server, account), !inside);
    }),
  );
});
