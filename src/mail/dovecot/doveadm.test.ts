import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { countMailProcesses, parseOpenSessions, parseQuota } from "./doveadm.ts";

test("the usage that doveadm prints is read in bytes, with and without a limit", () => {
  const titles = "Quota name\tType\tValue\tLimit\t%\n";
  const printed = `${titles}User quota\tSTORAGE\t12\t5242880\t0\nUser quota\tMESSAGE\t3\t-\t0\n`;
  assert.deepEqual(parseQuota(printed), { usedBytes: 12_288, mails: 3, limitBytes: 5_368_709_120 });
  assert.equal(parseQuota(printed.replace("5242880", "-"))?.limitBytes, null);
  assert.equal(parseQuota(`${titles}User quota\tSTORAGE\terror\terror\terror\n`), null);
  assert.equal(parseQuota(""), null);
});

test("each connection is an open session; the head and other lines are ignored", () => {
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

test("a process of the mail's user counts without any connection", { skip: process.getuid?.() !== 0 }, async () => {
  const user = { uid: 64_321, gid: 64_321 };
  const session = spawn("sleep", ["60"], user);
  await once(session, "spawn");
  assert.equal(countMailProcesses(user), 1);
  session.kill();
  await once(session, "exit");
  assert.equal(countMailProcesses(user), 0);
});
