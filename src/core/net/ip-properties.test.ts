import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { ip, net } from "../../../test/kit/samples.ts";
import {
  contains,
  hostPrefix,
  type Ip,
  isSingleAddress,
  isV4,
  networkAddress,
  overlaps,
  type Prefix,
  parseIp,
  parsePrefix,
  prefixLength,
  prefixOf,
} from "./ip.ts";

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
      const address = ip(inFull(bits));
      assert.deepEqual(bitsOf(address), bits);
      assert.equal(parseIp(address), address);
      assert.equal(isV4(address), bits.width === 32);
    }),
  );
});

test("whatever form of address the generator makes is read, and only once canonical", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const address = ip(text);
      assert.equal(parseIp(address), address);
      assert.equal(parsePrefix(address), hostPrefix(address));
    }),
  );
});

test("no text at all makes the parsers throw", () => {
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

test("an address is always in the prefix by which it is counted", () => {
  fc.assert(
    fc.property(anyBits, fc.integer({ min: 32, max: 128 }), (bits, ipv6Length) => {
      const address = ip(inFull(bits));
      assert.ok(contains(prefixOf(address, ipv6Length), address));
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

/** They agree on their first bits. */
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
