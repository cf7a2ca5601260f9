import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOpenSessions } from "./doveadm.ts";

test("each connection is an open session; the head and other lines are none", () => {
  const printed = `username                      proto pid   ip
Anna@example.test             imap  3022  198.51.100.65
anna@example.test             imap  3023  2001:db8::1
nobody                        imap  3024  198.51.100.65
bert@example.test             imap  x     198.51.100.65

`;
  assert.deepEqual(parseOpenSessions(printed), [
    { account: "anna@example.test", ip: "198.51.100.65", pid: 3022 },
    { account: "anna@example.test", ip: "2001:db8::1", pid: 3023 },
  ]);
  assert.deepEqual(parseOpenSessions(""), []);
});
