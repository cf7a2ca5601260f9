import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMailboxUse } from "./doveadm.ts";

test("what doveadm prints is read in bytes, with and without a limit", () => {
  const titles = "Quota name\tType\tValue\tLimit\t%\n";
  const printed = `${titles}User quota\tSTORAGE\t12\t5242880\t0\nUser quota\tMESSAGE\t3\t-\t0\n`;
  assert.deepEqual(parseMailboxUse(printed), { usedBytes: 12_288, mails: 3 });
  assert.equal(parseMailboxUse(`${titles}User quota\tSTORAGE\terror\terror\terror\n`), null);
  assert.equal(parseMailboxUse(""), null);
});
