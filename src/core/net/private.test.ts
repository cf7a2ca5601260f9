import assert from "node:assert/strict";
import { test } from "node:test";
import { ip } from "../../../test/kit/samples.ts";
import { isLoopback, isPrivate } from "./ip.ts";

for (const [text, expected] of [
  ["10.0.0.1", true],
  ["172.16.0.1", true],
  ["172.31.255.255", true],
  ["172.32.0.1", false],
  ["172.15.0.1", false],
  ["192.168.7.7", true],
  ["192.169.0.1", false],
  ["100.64.0.1", true],
  ["100.127.0.1", true],
  ["100.128.0.1", false],
  ["169.254.1.1", true],
  ["110.0.0.1", false],
  ["203.0.113.7", false],
  ["fd00::1", true],
  ["fe80::1", true],
  ["febf::1", true],
  ["fec0::1", false],
  ["2001:db8::1", false],
] as const)
  test(`${text} is ${expected ? "" : "not "}private`, () => assert.equal(isPrivate(ip(text)), expected));

test("loopback is ::1 and 127.0.0.0/8, however it is written", () => {
  for (const text of ["127.0.0.1", "127.255.255.255", "::ffff:127.0.0.1", "::1"]) assert.ok(isLoopback(ip(text)), text);
  for (const text of ["128.0.0.1", "12.7.0.1", "::", "::1:1"]) assert.ok(!isLoopback(ip(text)), text);
});
