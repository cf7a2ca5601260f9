import assert from "node:assert/strict";
import { test } from "node:test";
import { ip, net } from "../../../test/kit/samples.ts";
import {
  isLoopback,
  isPrivate,
  isSingleAddress,
  isTooWide,
  neighbourhoodOf,
  parseIp,
  parsePrefix,
  prefixOf,
} from "./ip.ts";

const addresses: readonly (readonly [text: string, expected: string])[] = [
  ["203.0.113.7", "203.0.113.7"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  // RFC 5952: lower case, no leading zeros, the longest run of zeros shortened, the first of equals, never a single one.
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
];
const noV4 = ["203.0.113", "203.0.113.256", "203.0.113.07", "203.0.113.7 ", "203.0.113.7/32", "0xcb.0.113.7"];
const noV6 = ["fe80::1%eth0", "[2001:db8::1]", "2001:db8::1::2", "1:2:3:4:5:6:7:8:9", ":::"];
const noAddresses = ["", "unknown", "3405803783", ...noV4, ...noV6].map((text) => [text, null] as const);
for (const [text, expected] of [...addresses, ...noAddresses])
  test(`parseIp of ${JSON.stringify(text)}`, () => assert.equal(parseIp(text), expected));

const prefixes: readonly (readonly [text: string, expected: string])[] = [
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
  ["::ffff:203.0.113.0/96", "0.0.0.0/0"],
];
const tooWide = ["::ffff:203.0.113.0/95", "::ffff:203.0.113.7/24", "203.0.113.7/33", "2001:db8::/129"];
const noLength = ["203.0.113.7/", "203.0.113.7/-1", "203.0.113.7/2 4", "203.0.113.7/24/24", "203.0.113.7/1e1"];
const noPrefixes = ["", "/24", ...tooWide, ...noLength].map((text) => [text, null] as const);
for (const [text, expected] of [...prefixes, ...noPrefixes])
  test(`parsePrefix of ${JSON.stringify(text)}`, () => assert.equal(parsePrefix(text), expected));

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

test("a single address is a network of one, whatever the family", () => {
  const networks = ["203.0.113.7", "203.0.113.6/31", "2001:db8::7", "2001:db8::/32", "2001:db8::/127"].map(net);
  assert.deepEqual(networks.map(isSingleAddress), [true, false, true, false, false]);
});

test("private addresses are those of RFC 1918, 3927, 4193 and 6598, and link-local ones", () => {
  const shared = ["100.64.0.1", "100.127.0.1", "169.254.1.1", "fd00::1", "fe80::1", "febf::1"];
  for (const text of ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.7.7", ...shared])
    assert.ok(isPrivate(ip(text)), text);
  const beside = ["172.32.0.1", "172.15.0.1", "192.169.0.1", "100.128.0.1", "110.0.0.1", "fec0::1"];
  for (const text of [...beside, "203.0.113.7", "2001:db8::1"]) assert.ok(!isPrivate(ip(text)), text);
});

test("loopback is ::1 and 127.0.0.0/8, however it is written", () => {
  for (const text of ["127.0.0.1", "127.255.255.255", "::ffff:127.0.0.1", "::1"]) assert.ok(isLoopback(ip(text)), text);
  for (const text of ["128.0.0.1", "12.7.0.1", "::", "::1:1"]) assert.ok(!isLoopback(ip(text)), text);
});

test("all of 127.0.0.0/8 counts as one client", () => {
  for (const networkOf of [prefixOf, neighbourhoodOf]) assert.equal(networkOf(ip("127.9.8.7"), 64), "127.0.0.0/8");
});
