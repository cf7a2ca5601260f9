import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentOf, put } from "../../../test/kit/files.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { filesBelow } from "../../host/root-files/walk.ts";
import { policyNonce } from "../../mail/dovecot/login-policy.ts";
import { layoutOf } from "../../settings/layout.ts";
import { collect, copyMails, writeLines } from "./folder.ts";

function made() {
  const top = temporaryDirectory();
  const layout = layoutOf(join(top, "data"));
  const to = join(top, "to");
  mkdirSync(to);
  return { layout, to };
}

test("collects logs since the given time, configuration without its secrets, and the state of the machine", async () => {
  const { layout, to } = made();
  put(layout.mailLog, "a line\n");
  put(`${layout.mailLog}.old`, "an old line\n");
  utimesSync(`${layout.mailLog}.old`, 0, 0);
  put(`${layout.mailLog}.index`, "");
  put(layout.loginPolicySecret, "very-secret-word\n");
  const derived = policyNonce("very-secret-word");
  put(layout.dovecotConf, `auth_policy = very-secret-word\nnonce = ${derived}\nprotocols = imap\n`);
  put(join(layout.program, "guard.js"), "1;");
  await collect(layout, to, { since: 1_000 });
  const found = filesBelow(to).map((path) => path.slice(to.length + 1));
  const logs = found.filter((path) => path.startsWith("logs/"));
  assert.deepEqual(logs, ["logs/mail/mail.log"]);
  const conf = contentOf(join(to, "conf/dovecot/dovecot.conf"));
  assert.equal(conf, "auth_policy = (secret)\nnonce = (secret)\nprotocols = imap\n");
  assert.match(contentOf(join(to, "machine/program.sha256")), /^[0-9a-f]{64} {2}\S+\/program\/guard\.js$/m);
  for (const file of ["firewall.txt", "connections.txt", "processes.txt", "queue.jsonl", "changed-package-files.txt"])
    assert.ok(found.includes(`machine/${file}`), file);
});

test("names truncated files and failed programs", { skip: lacking({ installed: ["ps"] }) }, async () => {
  const { layout, to } = made();
  const lacks = await collect(layout, to, { since: 0, mostBytes: 100 });
  assert.match(lacks.join("\n"), /^machine\/processes\.txt is cut: ps: it printed more than 100 bytes$/m);
  assert.equal(contentOf(join(to, "machine/processes.txt")).length, 100);
});

test("copies mails from any queue directory, and skips missing ones", () => {
  const { layout, to } = made();
  put(join(layout.postfixQueue, "hold", "72CED1EABE5"), "held");
  put(layout.loginPolicySecret, "very-secret-word");
  put(join(layout.postfixQueue, "deferred", "8", "82CED1EABE6"), "deferred");
  // A long id: its directory is not its first letter.
  put(join(layout.postfixQueue, "deferred", "C", "4Wxyz12AbCz1"), "restored");
  symlinkSync(layout.loginPolicySecret, join(layout.postfixQueue, "hold", "A2CED1EABE8"));
  const ids = ["72CED1EABE5", "82CED1EABE6", "92CED1EABE7", "4Wxyz12AbCz1", "A2CED1EABE8"];
  assert.deepEqual(copyMails(layout, ids, join(to, "mails")), ["72CED1EABE5", "82CED1EABE6", "4Wxyz12AbCz1"]);
  assert.equal(contentOf(join(to, "mails", "82CED1EABE6")), "deferred");
});

test("writes any number of objects as lines, without hashes of passwords", () => {
  const { to } = made();
  writeLines(join(to, "events.jsonl"), [{ id: 1, proof: "0abc", rest: { passwordHash: "0abc" } }]);
  assert.equal(contentOf(join(to, "events.jsonl")), '{"id":1,"rest":{}}\n');
  writeLines(join(to, "none.jsonl"), []);
  const many = Array.from({ length: 2_500 }, (_, i) => ({ i }));
  writeLines(join(to, "many.jsonl"), many);
  assert.equal(contentOf(join(to, "none.jsonl")), "");
  const lines = contentOf(join(to, "many.jsonl")).split("\n");
  assert.deepEqual([lines.length, lines[2_499]], [2_501, '{"i":2499}']);
});
