import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { ROOT } from "../../../../../test/kit/needs.ts";
import { writeOldDatabases } from "../../../../../test/kit/next-version.ts";
import { script } from "../../../../../test/kit/script-world.ts";
import { commandLineOf } from "../../../../../test/kit/test-guard.ts";
import { instant } from "../../../../core/time.ts";
import { releaseLock, takeLock } from "../../../../host/running/data-directory.ts";
import { makeUpgradeSnapshot } from "../../../../jobs/upgrade/upgrade-snapshot.ts";
import { connect } from "../../../../programs/command-line/connect.ts";
import { openAccounts, openEngine } from "../../../../store/open.ts";
import { schemasOf } from "../../../../store/schemas.ts";

const { layout, run, does, fails } = commandLineOf(import.meta.filename);

async function upgrade(t: TestContext): Promise<void> {
  writeOldDatabases(t, layout);
  await makeUpgradeSnapshot(layout, instant(Date.UTC(2026, 10, 21, 12)));
  openEngine(layout.engineDb).close();
  using accounts = openAccounts(layout.accountsDb);
  accounts.exec(`
    INSERT INTO account (name, password, created_at) VALUES ('new@example.test', '{X}y', 1);
    INSERT INTO admin_totp VALUES (1, zeroblob(20), 1, 1);
    INSERT INTO account_key VALUES ('new@example.test', 'id', 1, 'public', 'locked', '{X}y', 'recoverable')`);
}

const versions = (): readonly number[] => schemasOf(layout).map(({ version }) => version);

test("without an upgrade there is nothing to go back to", ROOT, async () => {
  await fails("rollback --yes", /^No snapshot to go back to: .* `\.\/ghostinbox backup list` shows/);
});

test("says what is newer than the snapshot, asks, and goes back", ROOT, async (t) => {
  await upgrade(t);
  const newest = versions();

  takeLock(layout.startPid);
  await fails("rollback --yes", /already running .* Stop it first: `GHOSTINBOX_DATA=\S+ \.\/ghostinbox stop`\n$/);
  releaseLock(layout.startPid);

  const unasked = await run("rollback");
  assert.equal(unasked.code, 2);
  const says = /^The snapshot is from 2026-11-21 12:00 UTC \(engine\.db of schema 1, accounts\.db of schema 1\)\.$/m;
  assert.match(unasked.err, says);
  assert.match(unasked.err, /^Since then: 0 events, which will be missing\.$/m);
  assert.match(unasked.err, /^ {2}accounts: 1 added \(new@example\.test\)$/m);
  assert.match(unasked.err, /^ {2}second factors: 1 added \(authenticator app\)$/m);
  assert.match(unasked.err, /^Mail of new@example\.test that was encrypted with a key made since then can no longer/m);
  assert.match(unasked.err, /There is no terminal to confirm on, so nothing was changed/);
  assert.deepEqual(versions(), newest);

  const done = await does("rollback --yes --json");
  assert.deepEqual(versions(), [1, 1]);
  assert.match(done, /"events": ?0\b/);
  assert.match(done, /"newKeys": \[\s+"new@example\.test"/);
  assert.match(done, /"settingsChanged": ?false/);
});

test("nothing is rolled back once another container has started, which keeps its lock", ROOT, async (t) => {
  await upgrade(t);
  const newest = versions();
  const others = "4194305 12345 1\n";
  const ask = (): Promise<string> => {
    writeFileSync(layout.startPid, others);
    return Promise.resolve("y");
  };
  const env = { PATH: process.env["PATH"], GHOSTINBOX_DATA: layout.data };
  const asked = await script(["rollback"], { env, now: Date.now, person: { interactive: true, ask }, connect });
  assert.match(asked.err, /started in the meantime: nothing was changed\. Stop it: /);
  assert.deepEqual([asked.code, versions(), readFileSync(layout.startPid, "utf8")], [1, newest, others]);
});

test("the only copy of keys is named once more at the end", ROOT, async (t) => {
  await upgrade(t);
  assert.match(await does("rollback --yes"), /^Keep the accounts\.db in it: it alone has the keys/m);
});

test("a missing settings file is named", ROOT, async (t) => {
  await upgrade(t);
  rmSync(layout.settings);
  assert.match((await run("rollback --yes")).err, /^The rollback failed: .*ghostinbox\.toml'\. Fix that/m);
});

test("an unreadable database does not prevent a rollback", ROOT, async (t) => {
  await upgrade(t);
  writeFileSync(layout.engineDb, "This is a letter to the editor. ".repeat(200));
  const ran = await run("rollback --yes");
  assert.match(ran.err, /^What was recorded since cannot be read: .*not a database/m);
  assert.equal(ran.code, 0, ran.err);
  const says = /The former ones are in \S+\/before-upgrade\/after-\w+ \(\d+\.\d [KM]B\) until you delete it\./;
  assert.match(ran.out, says);
  assert.deepEqual(versions(), [1, 1]);
});

test("a damaged record of an interrupted rollback is reported with what to do", ROOT, async (t) => {
  await upgrade(t);
  writeFileSync(layout.rollback, "{");
  await fails("rollback --yes", /^A restore or rollback was interrupted, and .* then delete that file\.\n$/);
});
