import assert from "node:assert/strict";
import { test } from "node:test";
import { readUpgrade } from "./updates.ts";

test("each package that waits is read, and whether it is for security", () => {
  const said = `NOTE: This is only a simulation!
Reading package lists...
The following packages will be upgraded:
  base-files openssl
Inst base-files [12.4+deb12u11] (12.4+deb12u15 Debian:12.15/oldstable [amd64])
Inst libssl3 [3.0.17-1~deb12u2] (3.0.20-1~deb12u2 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64]) []
Inst linux-image-6.1.0-41-amd64 (6.1.158-1 Debian-Security:12/oldstable-security [amd64])
Conf base-files (12.4+deb12u15 Debian:12.15/oldstable [amd64])
`;
  assert.deepEqual(readUpgrade(said), [
    { name: "base-files", version: "12.4+deb12u15", isSecurity: false },
    { name: "libssl3", version: "3.0.20-1~deb12u2", isSecurity: true },
    { name: "linux-image-6.1.0-41-amd64", version: "6.1.158-1", isSecurity: true },
  ]);
  assert.deepEqual(readUpgrade(""), []);
});
