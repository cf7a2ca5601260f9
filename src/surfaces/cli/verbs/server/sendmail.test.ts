import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { makeMailQueue, queuedMails, SENDMAIL } from "../../../../../test/kit/mail-queue.ts";
import { ROOT } from "../../../../../test/kit/needs.ts";
import { commandLineOf, ghostinboxProcess } from "../../../../../test/kit/test-guard.ts";

const { layout } = commandLineOf(import.meta.filename);

test("puts the mail into our queue, with sendmail's own options and exit codes", SENDMAIL, async () => {
  makeMailQueue(layout);
  const argv = ["sendmail", "-i", "-f", "anna@example.org", "--", "bob@example.net"];
  const sent = await ghostinboxProcess(layout, argv, "Subject: x\n\n.\nnot the end\n");
  assert.equal(sent.code, 0, sent.err);
  const [mail = "", ...others] = queuedMails(layout);
  assert.deepEqual(others, []);
  for (const part of ["anna@example.org", "bob@example.net", "not the end"]) assert.ok(mail.includes(part), mail);
  const wrong = await ghostinboxProcess(layout, ["sendmail", "-bx"], "Subject: x\n\n");
  assert.deepEqual([wrong.code, wrong.err], [75, "sendmail: fatal: unsupported: -bx\n"]);
});

test("before the first start it says so, with the exit code of sysexits.h", ROOT, async () => {
  const sent = await ghostinboxProcess(layout, ["sendmail", "-t"], "To: bob@example.net\n\n");
  assert.equal(sent.code, 78);
  const says =
    /^\.\/ghostinbox sendmail: there is no mail server in .* yet\. Start it: GHOSTINBOX_DATA=\S+ npm start\n$/;
  assert.match(sent.err, says);
  assert.ok(!existsSync(layout.postfixConf));
});
