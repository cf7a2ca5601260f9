import assert from "node:assert/strict";
import { test } from "node:test";
import { formatKeepRule, type KeepRule, parseKeepRule, ruleFor } from "./retention.ts";
import { DAY_MS } from "./time.ts";

const rulesOf = (...texts: readonly string[]) => texts.map((text) => parseKeepRule(text) ?? assert.fail(text));
const ANNA = "anna@example.org";
const keptFor = (rules: readonly KeepRule[], account: string, folder: string) =>
  ruleFor(rules, account, folder)?.keepMs ?? null;

test("a rule names a folder and a time, and an account before them if it is for only one", () => {
  assert.deepEqual(parseKeepRule("Trash 30d"), { account: null, folder: "Trash", keepMs: 30 * DAY_MS });
  const forAnna = { account: ANNA, folder: "Sent Mail", keepMs: null };
  assert.deepEqual(parseKeepRule(" Anna@Example.org  Sent Mail forever "), forAnna);
  assert.deepEqual(parseKeepRule("a@b.example 1d"), { account: null, folder: "a@b.example", keepMs: DAY_MS });
  assert.equal(parseKeepRule(`${"x".repeat(200)} 1d`)?.folder.length, 200);
  const long = `${"x".repeat(201)} 1d`;
  const wrong = ["", "30d", "Trash", "Trash 0d", "Trash 30", 'a"b 1d', `${ANNA} Trash never`, "a\u202eb 1d", long];
  for (const text of wrong) assert.equal(parseKeepRule(text), null, text);
});

test("a printed rule is read as the same rule", () => {
  const unusual = ["Alte  Mails 30d", `${ANNA} a  b@c d 1d`, "👩\u200d💻 Work 30d"];
  for (const text of ["Old Trash 30d", "* forever", `${ANNA} Sent Mail 90m`, ...unusual])
    assert.equal(formatKeepRule(parseKeepRule(text) ?? assert.fail()), text);
});

test("a folder without a rule is kept forever; a rule applies to the folders below, too", () => {
  const rules = rulesOf("Trash 30d");
  assert.equal(keptFor(rules, ANNA, "Trash"), 30 * DAY_MS);
  assert.equal(keptFor(rules, ANNA, "Trash.2024"), 30 * DAY_MS);
  for (const other of ["INBOX", "Trashy", "Old.Trash", "trash"]) assert.equal(keptFor(rules, ANNA, other), null, other);
  assert.equal(keptFor(rulesOf("inbox 1d"), ANNA, "INBOX"), DAY_MS);
  assert.equal(keptFor([], ANNA, "Trash"), null);
});

test("the account wins over the folder, the nearest folder over others, the longer time over the shorter", () => {
  const rules = rulesOf("* 365d", "Trash 30d", "Trash.Keep 60d", `${ANNA} * forever`, `${ANNA} Junk 7d`);
  assert.equal(keptFor(rules, "bert@example.org", "INBOX"), 365 * DAY_MS);
  assert.equal(keptFor(rules, "bert@example.org", "Trash.Keep.a"), 60 * DAY_MS);
  assert.equal(keptFor(rules, ANNA, "Trash"), null);
  assert.equal(keptFor(rules, "ANNA@example.org", "Junk"), 7 * DAY_MS);
  assert.equal(keptFor(rulesOf("Trash 3d", "Trash 9d", "Trash 5d"), ANNA, "Trash"), 9 * DAY_MS);
  assert.equal(keptFor(rulesOf("Trash 3d", "Trash forever"), ANNA, "Trash"), null);
  assert.equal(keptFor(rulesOf("* 365d", "A 1d"), ANNA, "A"), DAY_MS);
  const longest = "x".repeat(200);
  assert.equal(keptFor(rulesOf(`${ANNA} * 1d`, `${longest} 9d`), ANNA, longest), DAY_MS);
  assert.equal(ruleFor(rules, "bert@example.org", "Trash.Keep.a")?.folder, "Trash.Keep");
});
