import assert from "node:assert/strict";
import { test } from "node:test";
import { settingProblems } from "../../test/kit/loaded-settings.ts";
import { type AskedChange, changeFile } from "./change-file.ts";
import { commentedToml } from "./reference.ts";

const SHIPPED = commentedToml({ domains: ["example.org"], hostname: "mail.example.org" });
const PER_MINUTE: AskedChange = { key: "limits.mail.per_minute", value: "20" };

function changed(text: string, changes: readonly AskedChange[]) {
  const found = changeFile(text, changes, {});
  assert.ok(found.ok, JSON.stringify(found));
  return found;
}

function problemsOf(text: string, changes: readonly AskedChange[], env = {}): readonly string[] {
  const found = changeFile(text, changes, env);
  assert.ok(!found.ok);
  return found.problems.map(({ key, says }) => `${key}: ${says}`);
}

test("several change at once or not at all, with the values before and after", () => {
  const ladder = { key: "bans.ladder", value: '["15m","1h"]' };
  const score = (value: string) => ({ key: "spam.required_score", value });
  const { before, after, lines } = changed(SHIPPED, [PER_MINUTE, ladder, score("6")]);
  assert.equal(before.settings["limits.mail.per_minute"], 10);
  assert.equal(after.settings["limits.mail.per_minute"], 20);
  const added = lines.flatMap((line) => line.added);
  assert.deepEqual(added, ["limits.mail.per_minute = 20", 'bans.ladder = ["15m", "1h"]', "spam.required_score = 6.0"]);
  assert.ok(lines.every(({ removed }) => removed.length === 0));
  const marked = `\uFEFF${SHIPPED}`;
  const { text } = changed(marked, [PER_MINUTE]);
  assert.equal(changed(text, [{ ...PER_MINUTE, value: null }]).text, marked, "the way back gives the same file");
  const says = "spam.refuse_score: spam.refuse_score must be 0, or at least spam.required_score.";
  assert.deepEqual(problemsOf(SHIPPED, [PER_MINUTE, score("16")]), [says]);
});

test("each problem has its key, and the sentence of config check", () => {
  const wrong = 'domains = ["example.org"]\nlimits.mail.per_minute = 0\n';
  const [says] = settingProblems(wrong);
  assert.deepEqual(problemsOf(SHIPPED, [{ ...PER_MINUTE, value: "0" }]), [`limits.mail.per_minute: ${says}`]);
  assert.deepEqual(problemsOf(wrong, [PER_MINUTE]), [`: ${says}`]);
  for (const [change, says] of [
    [{ key: "limits.mail.per_minuet", value: "1" }, /is not a setting; the nearest is limits\.mail\.per_minute\.$/],
    [{ key: "ports.smtp", value: "26" }, /cannot be changed here\. It decides who reaches the server/],
    [{ key: "alerts.webhook", value: '["https://evil.example"]' }, /cannot be changed here/],
    [{ ...PER_MINUTE, value: "3\nsimulate = true" }, /must be a whole number/],
    [{ ...PER_MINUTE, value: '{"a":1}' }, /must be a whole number .*, not a table/],
    [{ key: "__proto__", value: "1" }, /is not a setting/],
    [{ key: "recipients.blocked", value: JSON.stringify([`a"]\nsimulate = true #`]) }, /has an item that must be/],
  ] as const)
    assert.match(problemsOf(SHIPPED, [change])[0] ?? "", says);
});

test("the quota of all mailboxes can only be raised", () => {
  const quota = (value: string | null): AskedChange => ({ key: "mailboxes.quota", value });
  const text = `${SHIPPED}\n[mailboxes]\nquota = "20GB"\n`;
  for (const value of ['"19GB"', null]) {
    const [problem, ...others] = problemsOf(text, [quota(value)]);
    assert.deepEqual([problem?.split(":")[0], others], ["mailboxes.quota", []]);
  }
  for (const value of ['"21GB"', '"0B"']) changed(text, [quota(value)]);
  assert.equal(problemsOf(text.replace("20GB", "0B"), [quota('"21GB"')]).length, 1);
});

test("a setting that a variable sets cannot be changed", () => {
  const [says = ""] = problemsOf(SHIPPED, [PER_MINUTE], { GHOSTINBOX_LIMITS__MAIL__PER_MINUTE: "7" });
  assert.match(says, /GHOSTINBOX_LIMITS__MAIL__PER_MINUTE sets limits\.mail/);
});

test("no error shows a line of another setting, however the file is written", () => {
  const secret =
    'domains = ["example.org"]\nalerts = { webhook = ["https://hooks.example/T0KEN"], thresholds.bans = 3 }\n';
  assert.match(problemsOf(secret, [{ key: "alerts.thresholds.bans", value: "4" }])[0] ?? "", /edit it there/);
  const table =
    'domains = ["example.org"]\n[alerts]\nwebhook = ["https://hooks.example/T0KEN"]\nthresholds.bans = 3 # few\n';
  const { text, lines } = changed(table, [{ key: "alerts.thresholds.bans", value: "4" }]);
  assert.equal(text, table.replace("bans = 3", "bans = 4"));
  assert.doesNotMatch(JSON.stringify(lines), /T0KEN/);
});
