import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback, parseListeners } from "./listeners.ts";

test("listeners with the programs that hold them", () => {
  const text = [
    'LISTEN 0 100 0.0.0.0:25 0.0.0.0:* users:(("smtpd",pid=7,fd=6),("master",pid=5,fd=13),("master",pid=5,fd=14))',
    'LISTEN 0 511 127.0.0.1:3000 0.0.0.0:* users:(("node",pid=9,fd=20))',
    "LISTEN 0 4096 [::]:993 [::]:*",
    "LISTEN 0 128 127.0.0.53%lo:53 0.0.0.0:*",
    "nonsense",
    "",
  ].join("\n");
  const found = parseListeners(text);
  assert.deepEqual(found, [
    { address: "0.0.0.0", port: 25, programs: ["smtpd", "master"] },
    { address: "127.0.0.1", port: 3000, programs: ["node"] },
    { address: "[::]", port: 993, programs: [] },
    { address: "127.0.0.53", port: 53, programs: [] },
  ]);
  assert.deepEqual(found.map(isLoopback), [false, true, false, true]);
});
