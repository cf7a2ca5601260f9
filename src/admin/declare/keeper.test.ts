import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NOON } from "../../../test/kit/samples.ts";
import { isoTime } from "../../core/time.ts";
import { type KeeperCommand, parseKeeperCommand, parseKeeperReply } from "./keeper.ts";

const LIST: Extract<KeeperCommand, { verb: "list_mail" }> = {
  verb: "list_mail",
  ids: ["4Wxyz12AbCz1"],
  senders: ["", "anna@example.org"],
  recipient: "bob@example.net",
  where: "deferred",
  after: { at: 1_790_000_000_000, id: "0A1B2C3D4E" },
  limit: 500,
};
const CHANGES = [
  { key: "limits.mail.per_minute", value: "20" },
  { key: "fail2ban.jails.postfix-auth.maxretry", value: null },
];
const WORDS = { title: "Ein Teil läuft nicht", body: "What happened: that.\n\nWhat to do: this." };
const COMMANDS: readonly KeeperCommand[] = [
  { verb: "ping" },
  { verb: "apply" },
  { verb: "apply", inForce: true },
  { verb: "apply", digest: "0c".repeat(32) },
  { verb: "status" },
  { verb: "kick_account", account: "anna@example.org" },
  { verb: "mailbox_use", account: "anna@example.org" },
  { verb: "imap_clients" },
  { verb: "end_imap", clients: ["203.0.113.7", "2001:db8::1"] },
  { verb: "change_settings", changes: CHANGES, digest: "0a".repeat(32) },
  { verb: "undo_settings", digest: "0b".repeat(32) },
  { verb: "restart", service: "postfix" },
  { verb: "restart", service: "fail2ban" },
  { verb: "find_mail", senders: ["anna@example.org", "info@example.org"], ids: [], onHold: true },
  { verb: "find_mail", senders: [], ids: ["4Wxyz12AbCz1"], onHold: false },
  { verb: "hold_mail", ids: ["4Wxyz12AbCz1", "0A1B2C3D4E"] },
  { verb: "release_mail", ids: ["4Wxyz12AbCz1"] },
  { verb: "delete_mail", ids: ["4Wxyz12AbCz1"], onHold: true },
  { verb: "return_mail", ids: ["4Wxyz12AbCz1"] },
  { verb: "flush_mail", ids: [] },
  LIST,
  { ...LIST, ids: [], beside: ["4Wxyz12AbCz1"], recipient: null, where: "anywhere", after: null, limit: 1 },
  { verb: "mail_ban", prefix: "198.51.100.7/32", jail: "dovecot", failures: 3, lastsMs: 600_000, unsaid: 0 },
  { verb: "mail_ban", prefix: "2001:db8::/64", jail: "my-own", failures: 3, lastsMs: null, unsaid: 7 },
  { verb: "mail_alert", id: "msg_0a1b", kind: "opened", at: NOON, severity: "critical", ...WORDS },
];

for (const command of COMMANDS)
  test(`${JSON.stringify(command)} is understood`, () =>
    assert.deepEqual(parseKeeperCommand(JSON.stringify(command)), command));

for (const line of [
  "",
  "ping",
  "null",
  "[]",
  '{"verb":"exec","program":"sh"}',
  '{"verb":"kick_account"}',
  '{"verb":"kick_account","account":"*"}',
  '{"verb":"kick_account","account":"-A"}',
  '{"verb":"kick_account","account":["anna@example.org"]}',
  '{"verb":"end_imap","clients":["all"]}',
  '{"verb":"end_imap","clients":[]}',
  '{"verb":"restart","service":"keeper"}',
  '{"verb":"mail_ban","prefix":"198.51.100.7/32","jail":"a\\nBcc: x","failures":3,"lastsMs":null,"unsaid":0}',
  '{"verb":"change_settings","changes":[],"digest":"x"}',
  `{"verb":"change_settings","changes":[{"key":"../x","value":"1"}],"digest":"${"0a".repeat(32)}"}`,
  `{"verb":"change_settings","changes":[{"key":"a.b","value":1}],"digest":"${"0a".repeat(32)}"}`,
  '{"verb":"mail_ban","prefix":"everybody","jail":"dovecot","failures":3,"lastsMs":null,"unsaid":0}',
  '{"verb":"mail_ban","prefix":"198.51.100.7/32","jail":"dovecot","failures":"3","lastsMs":null,"unsaid":0}',
  '{"verb":"mail_ban","prefix":"198.51.100.7/32","jail":"dovecot","failures":3,"lastsMs":"long","unsaid":0}',
  '{"verb":"find_mail","senders":["*"],"ids":[],"onHold":true}',
  '{"verb":"hold_mail","ids":[]}',
  '{"verb":"hold_mail","ids":["ALL"]}',
  '{"verb":"delete_mail","ids":["4Wxyz12AbCz1"]}',
  '{"verb":"delete_mail","ids":["-r ALL"],"onHold":false}',
  '{"verb":"delete_mail","ids":["4Wxyz12AbCz1\\nALL"],"onHold":true}',
  '{"verb":"flush_mail","ids":["-f"]}',
  '{"verb":"list_mail","ids":[],"senders":["*"],"recipient":null,"where":"anywhere","after":null,"limit":1}',
  '{"verb":"list_mail","ids":[],"senders":[],"recipient":"","where":"anywhere","after":null,"limit":1}',
  '{"verb":"list_mail","ids":[],"senders":[],"recipient":null,"where":"../hold","after":null,"limit":1}',
  '{"verb":"list_mail","ids":[],"senders":[],"recipient":null,"where":"hold","after":{"at":0,"id":"../x"},"limit":1}',
  '{"verb":"list_mail","ids":[],"senders":[],"recipient":null,"where":"hold","after":null,"limit":502}',
  '{"verb":"release_mail","ids":["../hold/A"]}',
  '{"verb":"release_mail","ids":"4Wxyz12AbCz1"}',
  JSON.stringify({ verb: "hold_mail", ids: Array.from({ length: 501 }, () => "4Wxyz12AbCz1") }),
  ...[
    { id: "msg\r\nBcc: x@y.z" },
    { title: "one\nBcc: x@y.z" },
    { title: "x".repeat(401) },
    { body: "a\rb" },
    { body: "a\u0000b" },
    { body: "é".repeat(6_001) },
    { kind: "news" },
    { severity: "fatal" },
    { at: 9e15 },
  ].map((wrong) => JSON.stringify({ ...COMMANDS.at(-1), ...wrong })),
])
  test(`not a command: ${line}`, () => assert.equal(parseKeeperCommand(line), null));

test("unknown fields of a command are dropped", () => {
  assert.deepEqual(parseKeeperCommand('{"verb":"ping","account":"x"}'), { verb: "ping" });
});

test("any line is either a valid command or null", () => {
  const words = ["verb", "ping", "kick_account", "account", "restart", "service", "postfix", "a@b.c", "*"];
  const word = fc.constantFrom(...words);
  const objects = fc.dictionary(word, fc.oneof(word, fc.jsonValue())).map((o) => JSON.stringify(o));
  const lines = fc.oneof(fc.string(), fc.json(), objects);
  fc.assert(
    fc.property(lines, (line) => {
      const command = parseKeeperCommand(line);
      if (command === null) return;
      assert.deepEqual(parseKeeperCommand(JSON.stringify(command)), command);
      if (command.verb === "kick_account") assert.match(command.account, /^[a-z0-9][a-z0-9._-]*@[a-z0-9.-]+$/);
    }),
    { seed: 20_261_120, numRuns: 2_000 },
  );
});

for (const reply of [
  { ok: true, detail: "pid 7" },
  { ok: true, detail: "", services: [{ name: "guard", up: true, pid: 12 }] },
  { ok: false, reason: "no" },
])
  test(`${JSON.stringify(reply)} is understood`, () =>
    assert.deepEqual(parseKeeperReply(JSON.stringify(reply)), reply));

test("an invalid reply is null", () => {
  for (const line of ["", "7", "{}", '{"ok":"yes"}']) assert.equal(parseKeeperReply(line), null, line);
});

test("a report in a reply is read only if every field is valid", () => {
  const item = { name: "backup", state: "ok", at: null, says: "x", command: "y" };
  const read = (upkeep: unknown) => parseKeeperReply(JSON.stringify({ ok: true, detail: "", upkeep }));
  assert.deepEqual(read([item]), { ok: true, detail: "", upkeep: [item] });
  for (const wrong of [{ name: "other" }, { state: "fine" }, { at: 3 }])
    assert.equal(read([{ ...item, ...wrong }]), null);
});

test("the audit's check in a reply may be null, and is read only if every field is valid", () => {
  const checked = { checkedAt: isoTime(NOON), first: 1, last: 3, anchored: null, unreadableAnchors: 0, fault: null };
  const read = (audit: unknown) => parseKeeperReply(JSON.stringify({ ok: true, detail: "", audit }));
  for (const audit of [null, checked]) assert.deepEqual(read(audit), { ok: true, detail: "", audit });
  assert.equal(read({ ...checked, first: "1" }), null);
});
