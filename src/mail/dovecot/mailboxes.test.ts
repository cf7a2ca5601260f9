import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFolders, parseSizes } from "./mailboxes.ts";

const GUID = "17a394105860016b2140000083ecc375";

test("folders are read by the titles of their columns, in any order", () => {
  const printed = `mailbox\tmessages\tvsize\tguid\nSent Mail\t2\t50\t${GUID}\nA\x01tB\t0\t0\t${GUID}\n`;
  assert.deepEqual(parseFolders(printed), [
    { name: "Sent Mail", guid: GUID, mails: 2, bytes: 50 },
    { name: "A\tB", guid: GUID, mails: 0, bytes: 0 },
  ]);
  assert.deepEqual(parseFolders(""), []);
});

test("a line that cannot be read makes the whole output unreadable", () => {
  for (const line of [`Bin\t1\t25`, `Bin\t-1\t25\t${GUID}`, `Bin\t1\t25\t*`, `\t1\t25\t${GUID}`, `a\tb\t1\t2\t${GUID}`])
    assert.equal(parseFolders(`mailbox\tmessages\tvsize\tguid\n${line}\n`), null, line);
});

test("sizes are added up", () => {
  assert.deepEqual(parseSizes("size.physical\n22\n1000\n"), { mails: 2, bytes: 1022 });
  assert.deepEqual(parseSizes("size.physical\n"), { mails: 0, bytes: 0 });
  assert.deepEqual(parseSizes(""), { mails: 0, bytes: 0 });
  assert.equal(parseSizes("size.physical\nx\n"), null);
});
