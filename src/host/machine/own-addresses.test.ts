import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { hasIpv4Way, ownAddresses } from "./own-addresses.ts";

test("the machine's own addresses do not include loopback", () => {
  for (const address of ownAddresses()) assert.ok(!address.startsWith("127.") && address !== "::1", address);
});

test("a way out by IPv4 is a route of the kernel", async () => {
  assert.equal(await hasIpv4Way("127.0.0.1"), true);
  // Refused without SO_BROADCAST, or without a route.
  assert.equal(await hasIpv4Way("255.255.255.255"), false);
});

test("a machine with only internal interfaces has no way out by IPv4", async () => {
  const inner = Object.values(networkInterfaces()).every((all = []) => all.every(({ internal }) => internal));
  assert.equal((await hasIpv4Way()) && inner, false);
});
