import assert from "node:assert/strict";
import { test } from "node:test";
import { loopback, stubZone } from "./kinds.ts";

test("a stub zone is a zone and its server, in one canonical spelling", () => {
  assert.deepEqual(stubZone.read(" Corp.Example = 2001:DB8::53 "), {
    ok: true,
    value: { zone: "corp.example", address: "2001:db8::53" },
    toml: '"corp.example=2001:db8::53"',
  });
  for (const wrong of ["corp.example", "corp.example=", "=10.0.0.53", "a.b=10.0.0.53=c", 'a.b"=10.0.0.53', "a.b=dns.c"])
    assert.equal(stubZone.read(wrong).ok, false, wrong);
});

test("a loopback address is one of IPv4: resolv.conf and Postfix' chroot are rendered with it", () => {
  assert.equal(loopback.read("127.71.9.53").ok, true);
  for (const wrong of ["10.0.0.1", "::1", "0.0.0.0", "localhost"]) assert.equal(loopback.read(wrong).ok, false, wrong);
});
