import assert from "node:assert/strict";
import { test } from "node:test";
import { AUTH, IMAP, MASTER } from "../dovecot/probe.ts";
import { PING } from "../fail2ban/client.ts";
import { ANVIL, announcing, CLEANUP, SMTP } from "../postfix/probe.ts";
import { pageHead } from "./exchange.ts";
import { MILTER, POSTGREY, SPAM_HEAD } from "./filters.ts";

const GREETING = "VERSION\t1\t1\nSPID\t12981\n";
const USERS = ["NOTFOUND\t1\n", "FAIL\t1\ttemp\n", "USER\t1\tprobe@invalid\thome=/x\n"];
const REWRITE = "protocol\0trivial_rewrite_protocol\0\0";
const QUEUE_FILE = "protocol\0cleanup_protocol\0queue_id\x0090281EA2095\0\0";

// The real parts are asked by test/e2e/frozen-parts.test.ts.
for (const [part, probe, answers, others] of [
  ["Dovecot's master process", MASTER, ["VERSION\tmaster-server\t1\t0\n"], [GREETING]],
  ["Dovecot's auth process", AUTH, USERS.map((user) => GREETING + user), [GREETING]],
  ["the IMAP port", IMAP, ["* OK [CAPABILITY IMAP4rev1] Ready.\r\n"], ["* BYE Disconnected\r\n", "* OK"]],
  ["a service of Postfix", announcing("trivial_rewrite_protocol"), [REWRITE], [QUEUE_FILE]],
  ["anvil", ANVIL, ["protocol=anvil_protocol\n\n"], ["protocol\0anvil_protocol\0\0"]],
  ["cleanup with a queue file", CLEANUP, [QUEUE_FILE], ["protocol\0cleanup_protocol\0queue_id\0"]],
  ["port 25", SMTP, ["220 mail.example.org ESMTP\r\n"], ["421 4.3.2 All server ports are busy\r\n"]],
  ["a milter", MILTER, ["\0\0\0\x0dO\0\0\0\x06\0\0\0\x13\0\0\x03\0"], ["\0\0\0\x01t"]],
  ["spam-head", SPAM_HEAD, ["spamd answered 900 s ago\n", "spamd answered about no mail yet\n"], ["spamd answered"]],
  ["Postgrey", POSTGREY, ["action=DUNNO\n\n"], ["action=DUNNO\n"]],
  ["Fail2ban", PING, ["\x80\x05pong<F2B_END_COMMAND>"], ["\x80\x05nothing<F2B_END_COMMAND>", "\x80\x05pong"]],
  ["the dashboard", pageHead("mail.example.org"), ["HTTP/1.1 200 OK\r\n"], ["HTTP/1.1 421 Misdirected Request\r\n"]],
] as const)
  test(`only the answer of a working part is accepted: ${part}`, () => {
    for (const said of answers) assert.ok(probe.isAnswer(said), said);
    for (const said of others) assert.ok(!probe.isAnswer(said), said);
  });

test("a busy port 25 counts as refusing, and one that has only started to answer does not", () => {
  assert.ok(SMTP.isRefusal?.("421 4.3.2 All server ports are busy\r\n"));
  assert.ok(SMTP.isRefusal?.("220 mail") === false);
});

test("sessions end in order, and only the head of the dashboard's page is requested", () => {
  assert.deepEqual([SMTP.goodbye, IMAP.goodbye], ["QUIT\r\n", "a LOGOUT\r\n"]);
  assert.match(String(pageHead("mail.example.org").question), /^HEAD \/ HTTP\/1\.1\r\nHost: mail\.example\.org\r\n/);
});
