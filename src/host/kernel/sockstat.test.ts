import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSocketsInUse } from "./tcp-sockets.ts";

test("the sockets in use are read from both files of the kernel", () => {
  const four = "sockets: used 119\nTCP: inuse 12 orphan 0 tw 3 alloc 68 mem 56\nUDP: inuse 4 mem 0\n";
  assert.equal(parseSocketsInUse(four), 12);
  assert.equal(parseSocketsInUse("TCP6: inuse 7\nUDP6: inuse 2\n"), 7);
  assert.equal(parseSocketsInUse("UDP: inuse 4 mem 0\n"), null);
  assert.equal(parseSocketsInUse(""), null);
});
