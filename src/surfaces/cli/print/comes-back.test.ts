import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { accountsFor } from "../../../../test/kit/test-database.ts";
import { SETTING_TABLES } from "../../../store/accounts-db/setting-tables.ts";
import { settingChanges } from "../../../store/changed-since.ts";
import { openAccounts, openEngine } from "../../../store/open.ts";
import { commands } from "../commands.ts";
import { parse } from "../parse.ts";
import { changedSettings, comesBack, comesBackFrom } from "./comes-back.ts";

test("what would come back or be missing is listed with the command that undoes that", (t) => {
  const [now, copy] = [accountsFor(t), accountsFor(t)];
  copy.exec(`
    INSERT INTO app_password VALUES ('anna@example.test', 'Phone', 'd', 'p', 'root', 1, NULL);
    INSERT INTO forward VALUES ('anna@example.test', 'anna@example.test'), ('anna@example.test', 'x@else.example');
    INSERT INTO vacation VALUES ('anna@example.test', 'Away', 'Write to x', NULL);
    INSERT INTO account_network VALUES ('anna@example.test', '203.0.113.0/24')`);
  now.exec(`
    INSERT INTO forward VALUES ('no@example.test', 'y@else.example');
    INSERT INTO vacation VALUES ('anna@example.test', 'Away', 'Write to y', NULL);
    INSERT INTO account_network VALUES ('bert@example.test', '10.0.0.0/8')`);
  assert.deepEqual(comesBack(settingChanges(now, copy)), [
    "  Comes back: Phone of anna@example.test. To undo: `./ghostinbox account app-password remove ADDRESS NAME`",
    "  Comes back: anna@example.test to x@else.example. To undo: `./ghostinbox account forward ADDRESS --off`",
    "  Comes back: anna@example.test. To undo: `./ghostinbox account vacation ADDRESS --off`",
    "  Comes back: anna@example.test from 203.0.113.0/24. To undo: `./ghostinbox account networks ADDRESS remove NETWORK`",
    "  Will be missing: bert@example.test from 10.0.0.0/8. To undo: `./ghostinbox account networks ADDRESS add NETWORK`",
  ]);
  assert.deepEqual(comesBack(settingChanges(copy, copy)), []);
});

for (const setting of SETTING_TABLES)
  test(`${setting.says}: the commands that undo what comes back exist`, () => {
    for (const line of [setting.undo, ...("redo" in setting ? [setting.redo] : [])]) {
      const parsed = parse(line.split(" "), commands);
      assert.ok(parsed.type === "run", line);
      const { name, usage } = parsed.command;
      for (const word of line.slice(name.length).match(/(?<= )\w+/g) ?? [])
        assert.ok(usage.split(/\W+/).includes(word), line);
    }
  });

test("after a restore, the previous databases are compared; without them, a sentence says how to check", async () => {
  const [restored, aside] = [temporaryLayout("accountsDb", "engineDb"), temporaryLayout("accountsDb", "engineDb")];
  for (const { accountsDb, engineDb, settings } of [restored, aside]) {
    openAccounts(accountsDb).close();
    openEngine(engineDb).close();
    writeFileSync(settings, 'domains = ["example.test"]\n');
  }
  assert.deepEqual(comesBackFrom(restored, aside.data), ["Since then: 0 events, which will be missing."]);
  using db = openAccounts(restored.accountsDb);
  db.exec(`INSERT INTO account (name, password, created_at) VALUES ('anna@example.test', '{X}y', 1);
    INSERT INTO forward VALUES ('anna@example.test', 'x@else.example');
    INSERT INTO token (name, digest, created_by, created_at, scopes) VALUES ('nightly', 'd', 'root', 1, '')`);
  writeFileSync(aside.settings, 'domains = ["example.test"]\nlogins.networks = ["10.0.0.0/8"]\n');
  const lines = comesBackFrom(restored, aside.data);
  assert.ok(lines.includes("  tokens: 1 removed (nightly)"), lines.join("\n"));
  assert.ok(lines.includes("  ghostinbox.toml was changed: logins.networks"), lines.join("\n"));
  assert.match(lines.at(-1) ?? "", /^ {2}Comes back: anna@example\.test to x@else\.example without a copy\. /);
  const says = /is back, old passwords and tokens too: .* `\.\/ghostinbox access review` lists/;
  for (const nothing of [null, join(aside.data, "none")]) assert.match(comesBackFrom(restored, nothing).join(), says);
});

test("differing settings are named; if a file is invalid or only a comment differs, it is just reported as changed", () => {
  const former = "domains = ['example.test']\n";
  assert.deepEqual(changedSettings(former, former), []);
  for (const now of [`# Ours\n${former}`, "domains = 1\n"])
    assert.deepEqual(changedSettings(now, former), ["  ghostinbox.toml was changed"]);
});
