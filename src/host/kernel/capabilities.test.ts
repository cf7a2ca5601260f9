import assert from "node:assert/strict";
import { test } from "node:test";
import { isPrivileged, parseCapabilities } from "./capabilities.ts";

const STATUS = "Name:\tnode\nCapEff:\t0000000000001000\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\n";

test("the capabilities of a process are read by their names", () => {
  assert.deepEqual(parseCapabilities(STATUS, "CapEff"), ["NET_ADMIN"]);
  const docker = STATUS.replace("000001ffffffffff", "00000000a80425fb");
  assert.deepEqual(parseCapabilities(docker, "CapBnd"), [
    ..."CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW".split(" "),
    ..."SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP".split(" "),
  ]);
  assert.deepEqual(parseCapabilities("", "CapEff"), []);
});

test("a privileged container is distinguished from one with a few more rights", () => {
  assert.ok(isPrivileged(parseCapabilities(STATUS, "CapBnd")));
  assert.ok(isPrivileged(parseCapabilities("CapBnd:\t0000003fffffffff\n", "CapBnd")));
  assert.ok(!isPrivileged(parseCapabilities("CapBnd:\t00000000a82435fb\n", "CapBnd")));
});
