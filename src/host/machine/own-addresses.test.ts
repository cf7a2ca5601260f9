import assert from "node:assert/strict";
import { test } from "node:test";
import { ip } from "../../../test/kit/samples.ts";
import { outgoingAddresses, ownAddresses, publicAmong } from "./own-addresses.ts";

test("the machine's own addresses do not include loopback", () => {
  for (const address of ownAddresses()) assert.ok(!address.startsWith("127.") && address !== "::1", address);
});

test("a deprecated IPv6 address needs no records if there is a current one", () => {
  const [v4, current, old] = [ip("203.0.113.10"), ip("2001:db8:10::10"), ip("2001:db8:10::99")];
  assert.deepEqual(publicAmong([v4, ip("10.0.0.7"), current, old], [old]), [v4, current]);
  assert.deepEqual(publicAmong([v4, old], [old]), [v4, old]);
});

test("an outgoing address requires a route of the kernel", async () => {
  // The kernel refuses the last without SO_BROADCAST, or without a route.
  const to = [ip("127.0.0.2"), ip("255.255.255.255")];
  assert.deepEqual(await outgoingAddresses(to), ["127.0.0.1"]);
});
