import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ip, type Prefix, parseIp, parsePrefix } from "../../core/net/ip.ts";
import { originOf } from "./client-address.ts";

const ip = (text: string): Ip => parseIp(text) ?? assert.fail(text);
const net = (text: string): Prefix => parsePrefix(text) ?? assert.fail(text);
const PROXIES = [net("10.0.0.0/8"), net("::1")];

test("a forged header of a stranger is not believed", () => {
  const origin = originOf(ip("203.0.113.9"), "198.51.100.1", "https", PROXIES);
  assert.deepEqual(origin, { ip: "203.0.113.9", secure: false });
});

test("a trusted proxy tells the real client", () => {
  assert.deepEqual(originOf(ip("10.1.1.1"), "203.0.113.9", "https", PROXIES), { ip: "203.0.113.9", secure: true });
});

test("what the client wrote left of its own address does not count", () => {
  assert.equal(originOf(ip("10.1.1.1"), "127.0.0.1, 198.51.100.1, 203.0.113.9", null, PROXIES).ip, "203.0.113.9");
});

test("several proxies in a row are looked through", () => {
  assert.equal(originOf(ip("::1"), "198.51.100.1, 203.0.113.9, 10.2.2.2, 10.1.1.1", null, PROXIES).ip, "203.0.113.9");
});

test("without a header, or with nonsense in it, the nearest known hop is the client", () => {
  assert.equal(originOf(ip("10.1.1.1"), null, null, PROXIES).ip, "10.1.1.1");
  assert.equal(originOf(ip("10.1.1.1"), "203.0.113.9, unknown", null, PROXIES).ip, "10.1.1.1");
  assert.equal(originOf(ip("10.1.1.1"), "203.0.113.9, x, 10.2.2.2", null, PROXIES).ip, "10.2.2.2");
});

test("nobody is trusted by default, loopback neither", () => {
  assert.equal(originOf(ip("127.0.0.1"), "203.0.113.9", null, []).ip, "127.0.0.1");
});

test("an IPv4-mapped peer is its IPv4 address", () => {
  assert.equal(originOf(ip("::ffff:10.1.1.1"), "2001:db8::1", null, PROXIES).ip, "2001:db8::1");
});
