import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { hasIpv4Way, ownAddresses } from "./own-addresses.ts";

test("the machine's own addresses do not include loopback", () => {
  for (const address of ownAddresses()) assert.ok(!address.startsWith("127.") && address !== "::1", address);
});

for (const [what, links, hasGateway, has] of [
  ["an IPv6 address alone", [], false, false],
  ["Docker's bridge in addition", ["docker0"], false, false],
  ["a network card", ["eth0", "docker0"], false, true],
  ["a bridge with the machine's own address", ["br0"], true, true],
] as const)
  test(`${what} is ${has ? "a" : "no"} way out by IPv4`, () => {
    assert.equal(hasIpv4Way({ links, hasGateway, isBridge: (link) => link !== "eth0" }), has);
  });

test("a machine with only internal interfaces has no way out by IPv4", () => {
  const inner = Object.values(networkInterfaces()).every((all = []) => all.every(({ internal }) => internal));
  assert.equal(hasIpv4Way() && inner, false);
});
