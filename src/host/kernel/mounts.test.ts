import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { holdsMount, mountOf, mountsBelow } from "./mounts.ts";

const MOUNTS = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
30 22 0:25 / /run rw,nosuid shared:5 master:1 - tmpfs tmpfs rw,size=400k
31 22 7:0 / /var/lib/ghostinbox rw,relatime - ext4 /dev/sdb1 rw,errors=remount-ro,emergency_ro
32 31 7:1 / /var/lib/ghostinbox/mail\\040box ro,relatime - xfs /dev/sdc1 rw
33 22 7:2 / /srv rw - ext4 /dev/sdd1 ro
34 22 7:3 / /srv rw - ext4 /dev/sde1 rw
`;

test("finds the nearest mount above a path, and the last of two on one directory", () => {
  const of = (path: string): string | undefined => mountOf(path, MOUNTS)?.source;
  assert.equal(of("/"), "/dev/vda1");
  assert.equal(of("/var/lib/ghostinboxes"), "/dev/vda1");
  assert.equal(of("/var/lib/ghostinbox/db"), "/dev/sdb1");
  assert.equal(of("/var/lib/ghostinbox/mail box/a"), "/dev/sdc1");
  assert.equal(of("/srv/mail"), "/dev/sde1");
  assert.equal(mountOf("/", ""), null);
});

test("finds mounts below a path, not on it or beside it", () => {
  assert.deepEqual(mountsBelow("/var/lib/ghostinbox", MOUNTS), ["/var/lib/ghostinbox/mail box"]);
  assert.deepEqual(mountsBelow("/var/lib/ghost", MOUNTS), []);
});

test("a mount is read-only by its own options, those of its file system, or after an error", () => {
  const isReadOnly = (path: string): boolean | undefined => mountOf(path, MOUNTS)?.isReadOnly;
  assert.equal(isReadOnly("/"), false, "errors=remount-ro only says what an error would cause");
  assert.equal(isReadOnly("/run"), false);
  assert.equal(isReadOnly("/var/lib/ghostinbox"), true);
  assert.equal(isReadOnly("/var/lib/ghostinbox/mail box"), true);
  assert.equal(mountOf("/srv", MOUNTS.split("\n").slice(0, 5).join("\n"))?.isReadOnly, true);
});

test("a directory is distinguished from one with a mount in it", () => {
  for (const path of ["/var/lib/ghostinbox", "/var/lib/ghostinbox/mail box", "/var"])
    assert.ok(holdsMount(path, MOUNTS), path);
  for (const path of ["/var/lib/ghostinbox/mail", "/etc"]) assert.ok(!holdsMount(path, MOUNTS), path);
});

test("never throws", () => {
  for (let cut = 0; cut < MOUNTS.length; cut++) mountOf("/var/lib/ghostinbox", MOUNTS.slice(0, cut));
  fc.assert(fc.property(fc.string({ unit: ANY_CHARACTER }), (text) => mountOf("/var", text) === null));
});
