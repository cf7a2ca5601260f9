import assert from "node:assert/strict";
import { test } from "node:test";
import { servedPort, silent } from "../../../test/kit/served.ts";
import { openPorts } from "./port-dialogue.ts";

test("ports that take a connection, and no others", async () => {
  const ports = [await servedPort(silent), await servedPort(silent)].toSorted((a, b) => a - b);
  assert.deepEqual(await openPorts("127.0.0.1", [9, ...ports.toReversed()]), ports);
  assert.deepEqual(await openPorts("127.0.0.1", []), []);
});
