import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventItem } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { ECS_KEYS, ecsLine, ecsOf } from "./ecs.ts";
import { EVENT_TYPES, meaningOf } from "./event-types.ts";

const PAGE = new URL("../../../docs/siem.md", import.meta.url);

test("a refused mail has the fields of the schema", () => {
  const refused = eventItem("EMAIL_BLOCKED", {
    service: "smtp",
    ip: "203.0.113.7",
    sender: "a@sender.test",
    recipient: "anna@example.org",
    queueId: "72CED1EABE5",
    messageId: "<a@sender.test>",
    verdict: "refuse",
    reason: "mail_limit",
    count: 11,
    limit: 10,
    windowMs: 60_000,
    limitKey: "limits.mail.per_minute",
    details: "11 mails in a minute",
    action: "Refused",
  });
  assert.deepEqual(ecsOf(refused), {
    "ecs.version": "8.11.0",
    message: "Refused: 11 mails in a minute",
    "@timestamp": refused.at,
    "event.module": "ghostinbox",
    "event.id": "1",
    "event.kind": "event",
    "event.code": "EMAIL_BLOCKED",
    "event.action": "email-blocked",
    "event.category": ["email"],
    "event.type": ["info", "denied"],
    "event.outcome": "failure",
    "service.name": "smtp",
    "source.ip": "203.0.113.7",
    "email.from.address": "a@sender.test",
    "email.to.address": "anna@example.org",
    "email.local_id": "72CED1EABE5",
    "email.message_id": "a@sender.test",
    "rule.name": "mail_limit",
    "ghostinbox.verdict": "refuse",
    "ghostinbox.limit.count": 11,
    "ghostinbox.limit.most": 10,
    "ghostinbox.limit.window_ms": 60_000,
    "ghostinbox.limit.setting": "limits.mail.per_minute",
  });
});

test("a sign-in has the account as user; a command has its actor as user and the account as target", () => {
  const account = "anna@example.org";
  const signedIn = ecsOf(eventItem("LOGIN_FAILED", { account, verdict: "pass" }));
  assert.deepEqual([signedIn["user.name"], signedIn["event.outcome"]], [account, "failure"]);
  assert.ok(!("user.target.name" in signedIn));
  const changed = ecsOf(eventItem("PASSWORD_CHANGED", { account, actor: "root", verdict: "pass" }));
  assert.deepEqual([changed["user.name"], changed["user.target.name"]], ["root", account]);
  assert.equal(changed["event.outcome"], "success");
});

test("a simulated verdict that denies nothing does not change the outcome", () => {
  const accepted = ecsOf(eventItem("EMAIL_ACCEPTED", { verdict: "pass", simulated: "hold" }));
  assert.deepEqual([accepted["event.type"], accepted["event.outcome"]], [["info", "allowed"], "success"]);
});

const CATEGORIES = "api authentication configuration database email host iam intrusion_detection network session".split(
  " ",
);
const TYPES =
  "access admin allowed change connection creation deletion denied end error info protocol start user".split(" ");

test("every type has a sentence, a category and an outcome; an unknown type has no category", () => {
  for (const type of EVENT_TYPES) {
    const { says, category, type: types, outcome } = meaningOf(type);
    assert.match(says, /^[A-Z].*\.$/, type);
    assert.ok(category.length > 0 && category.every((one) => CATEGORIES.includes(one)), type);
    assert.ok(types.length > 0 && types.every((one) => TYPES.includes(one)), type);
    assert.equal(ecsOf(eventItem(type))["event.outcome"], outcome ?? "unknown");
  }
  const other = ecsOf(eventItem("OF_ANOTHER_VERSION"));
  assert.deepEqual([other["event.code"], other["event.category"]], ["OF_ANOTHER_VERSION", []]);
});

test("each field of an event is exported", () => {
  const others = ["type", "details", "action"];
  const fields = Object.keys(eventItem("CONNECT")).filter((key) => !others.includes(key));
  assert.deepEqual(new Set(ECS_KEYS), new Set(fields));
});

test("the script of docs/siem.md starts after the last whole line of its file, also after a rotation", () => {
  const directory = temporaryDirectory();
  const file = join(directory, "events.ndjson");
  writeFileSync(join(directory, "ghostinbox"), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  const printed = /^ {4}#!\/bin\/sh\n(?: {4}.*\n)+/m.exec(readFileSync(PAGE, "utf8"))?.[0] ?? "";
  const script = printed.replace(/^cd .*$|^ {4}cd .*$/m, `cd ${directory}`).replace(/file=.*/, `file=${file}`);
  const askedFor = (): string | undefined => {
    execFileSync("sh", ["-c", script]);
    return readFileSync(file, "utf8").split("\n").at(-2);
  };
  assert.equal(askedFor(), "events --ecs --follow --after 0", "without a file");
  const lines = [41, 42].map((id) => `${ecsLine(eventItem("CONNECT", { id, helo: '"event":{"id":"9"' }))}\n`);
  writeFileSync(file, lines.join(""));
  assert.equal(askedFor(), "events --ecs --follow --after 42");
  writeFileSync(file, `${lines.join("")}{"event":{"i`);
  assert.match(askedFor() ?? "", /events --ecs --follow --after 42$/, "a line that was cut short");
  writeFileSync(`${file}.1`, lines.join(""));
  writeFileSync(file, "");
  assert.equal(askedFor(), "events --ecs --follow --after 42", "rotated");
});
