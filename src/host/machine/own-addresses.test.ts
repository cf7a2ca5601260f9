import assert from "node:assert/strict";
import { test } from "node:test";
import { ip } from "../../../test/kit/samples.ts";
import { isPublic, ownAddresses } from "./own-addresses.ts";

test("addresses of a home or a provider's inside are not public", () => {
  for (const address of ["10.0.0.1", "192.168.1.1", "172.31.0.1", "100.64.0.1", "169.254.1.1", "fd00::1", "fe80::1"])
    assert.equal(isPublic(ip(address)), false, address);
  for (const address of ["172.32.0.1", "100.128.0.1", "203.0.113.7", "2001:db8::1"])
    assert.equal(isPublic(ip(address)), true, address);
});

test("the machine's own addresses are without loopback", () => {
  for (const address of ownAddresses()) assert.ok(!address.startsWith("127.") && address !== "::1", address);
});
