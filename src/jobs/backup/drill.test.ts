import assert from "node:assert/strict";
import { test } from "node:test";
import { whyNoNamespaces } from "./drill.ts";

test("a machine without namespaces is distinguished from a server that fails in them", () => {
  for (const says of [
    "unshare failed: Operation not permitted",
    "unshare failed: No space left on device",
    "unshare failed: Invalid argument",
    "mount /proc failed: Permission denied",
    "cannot change root filesystem propagation: Permission denied",
  ])
    assert.equal(whyNoNamespaces(`unshare: ${says}\n`), says);
  const missing = "unshare: failed to execute /var/lib/ghostinbox/program/node: No such file or directory\n";
  assert.equal(whyNoNamespaces(missing), null);
  assert.equal(whyNoNamespaces("backup: its guard was not ready after 60 s\n"), null);
});
