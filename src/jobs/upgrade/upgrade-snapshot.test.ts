import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { contentOf, modeOf, put } from "../../../test/kit/files.ts";
import { OLD_SETTINGS, oldData, upgradeDatabases, writeToday } from "../../../test/kit/next-version.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { HOUR_MS, instant, later } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";
import { openAccounts } from "../../store/open.ts";
import { schemasOf } from "../../store/schemas.ts";
import { rollBack } from "./rollback.ts";
import {
  describeSnapshot,
  inSnapshot,
  lackOfSpace,
  makeUpgradeSnapshot,
  noteUpgraded,
  readSnapshot,
  refuseUnfitData,
  whyNotAgain,
} from "./upgrade-snapshot.ts";

const NOW = instant(Date.UTC(2026, 10, 21, 12, 0, 0));

test("before a migration, databases and settings are copied, only for root", async (t) => {
  const layout = oldData(t);
  put(join(layout.program, "package.json"), '{\n "type": "module",\n "version": "0.0.9"\n}\n');
  const writer = new DatabaseSync(layout.engineDb);
  put(layout.adoptedScript, '{"a":"b"}');
  writer.exec("PRAGMA journal_mode = WAL; INSERT INTO database_name VALUES ('only-in-the-log')");
  const made = await makeUpgradeSnapshot(layout, NOW);
  writer.close();
  assert.ok(made !== null);
  assert.deepEqual(made.schemas, { "engine.db": 1, "accounts.db": 1 });
  assert.deepEqual(readSnapshot(layout), made);
  const says = "2026-11-21 12:00 UTC (engine.db of schema 1, accounts.db of schema 1, written by version 0.0.9)";
  assert.equal(describeSnapshot(made), says);
  assert.equal(modeOf(layout.beforeUpgrade), 0o700);
  using copy = new DatabaseSync(inSnapshot(layout, made, layout.engineDb), { readOnly: true });
  assert.equal(copy.prepare("SELECT count(*) AS n FROM event").get()?.["n"], 1);
  assert.equal(copy.prepare("SELECT count(*) AS n FROM database_name WHERE name LIKE 'only%'").get()?.["n"], 1);
  assert.equal(contentOf(inSnapshot(layout, made, layout.settings)), OLD_SETTINGS);
  assert.equal(contentOf(inSnapshot(layout, made, layout.adoptedScript)), '{"a":"b"}');
});

test("no snapshot is made if no database needs an upgrade", async (t) => {
  assert.equal(await makeUpgradeSnapshot(temporaryLayout(), NOW), null);
  const old = oldData(t);
  upgradeDatabases(old);
  assert.equal(await makeUpgradeSnapshot(old, NOW), null);
  assert.ok(!existsSync(old.beforeUpgrade));
});

test("a snapshot is kept while its upgrade is interrupted, and until the next one", async (t) => {
  const layout = oldData(t);
  const first = await makeUpgradeSnapshot(layout, NOW);
  // As after a killed migration.
  openAccounts(layout.accountsDb).close();
  assert.equal(await makeUpgradeSnapshot(layout, later(NOW, HOUR_MS)), null);
  assert.deepEqual(readSnapshot(layout), first);
  upgradeDatabases(layout);
  noteUpgraded(layout);
  mkdirSync(join(layout.beforeUpgrade, "after-20261121T120500Z"));
  writeTodayAgain(layout);
  assert.equal((await makeUpgradeSnapshot(layout, later(NOW, HOUR_MS)))?.directory, "20261121T130000Z");
  const kept = ["20261121T130000Z", "after-20261121T120500Z", "snapshot.json"];
  assert.deepEqual(readdirSync(layout.beforeUpgrade).toSorted(), kept, "data set aside by a rollback stays");
});

test("a note that cannot be written does not stop a running server; the next start writes it", async (t) => {
  const layout = oldData(t);
  await makeUpgradeSnapshot(layout, NOW);
  upgradeDatabases(layout);
  const inTheWay = `${layout.upgradeSnapshot}.new`;
  mkdirSync(join(inTheWay, "full"), { recursive: true });
  noteUpgraded(layout);
  assert.equal(readSnapshot(layout)?.isUpgraded, false);
  rmSync(inTheWay, { recursive: true });
  noteUpgraded(layout);
  assert.equal(readSnapshot(layout)?.isUpgraded, true);
});

test("an upgrade that never started is tried again; copies of a killed start take no space from it, and the last snapshot stays", async (t) => {
  const layout = oldData(t);
  const last = await makeUpgradeSnapshot(layout, NOW);
  put(join(layout.beforeUpgrade, "20261121T123000Z", "engine.db"), "half");
  rmSync(layout.settings);
  await assert.rejects(makeUpgradeSnapshot(layout, later(NOW, HOUR_MS)), { name: "SetUpFailure" });
  assert.deepEqual(readdirSync(layout.beforeUpgrade).toSorted(), [last?.directory, "snapshot.json"]);
});

test("too little disk space is reported before anything is changed", (t) => {
  const layout = oldData(t);
  assert.equal(lackOfSpace(layout), null);
  const says = (schemas = schemasOf(layout)): string | null => lackOfSpace(layout, schemas, 100_000);
  const room =
    /^The databases are older than the program, and .* takes \d+ MB on the disk of .*, which has \d+ MB left: make room,/;
  assert.match(says() ?? "", room);
  upgradeDatabases(layout);
  assert.equal(says(), null, "no database needs an upgrade");
});

function writeTodayAgain(layout: Layout): void {
  for (const name of ["engine", "accounts"] as const) {
    const path = layout[`${name}Db`];
    writeToday(name, `${path}.old`);
    put(path, readFileSync(`${path}.old`));
  }
}

async function takenBack(t: TestContext) {
  const layout = oldData(t);
  const snapshot = await makeUpgradeSnapshot(layout, NOW);
  assert.ok(snapshot !== null);
  upgradeDatabases(layout);
  assert.equal(whyNotAgain(layout), null);
  rollBack(layout, snapshot, NOW);
  return layout;
}

test("before anything is copied, a start refuses a missing or emptied settings file, until the record of the settings in force is deleted", () => {
  const layout = temporaryLayout();
  put(layout.settings, "# nothing\n");
  put(layout.settingsInForce, "tls.cert = 0\n");
  const message = new RegExp(`must have at least one setting, .*, empty ${layout.settingsInForce}\\.$`);
  const refused = { name: "SetUpFailure", message, exitCode: 1 };
  assert.throws(() => refuseUnfitData(layout), refused);
  rmSync(layout.settings);
  assert.throws(() => refuseUnfitData(layout), refused);
  rmSync(layout.settingsInForce);
  refuseUnfitData(layout);
});

test("the version that a rollback left does not upgrade again, with one sentence and code 4", async (t) => {
  const layout = await takenBack(t);
  assert.throws(() => refuseUnfitData(layout), {
    name: "SetUpFailure",
    message: /^The upgrade of engine\.db to schema 2 was undone: .* or delete \S+\.json to/,
    exitCode: 4,
  });
  const versions = schemasOf(layout).map(({ version }) => version);
  assert.deepEqual(versions, [1, 1]);
});

test("the older version starts, and so does a still newer one", async (t) => {
  const layout = await takenBack(t);
  const schemas = schemasOf(layout);
  const older = schemas.map((one) => ({ ...one, known: one.version }));
  const newer = schemas.map((one) => ({ ...one, known: one.known + 1 }));
  assert.equal(whyNotAgain(layout, older), null);
  assert.equal(whyNotAgain(layout, newer), null);
});

test("the undone version starts again once the note is deleted, and an upgrade deletes the note", async (t) => {
  const layout = await takenBack(t);
  const note = JSON.stringify({ "engine.db": 1_000 });
  assert.match(whyNotAgain(layout) ?? "", /was undone/);
  rmSync(layout.takenBack);
  assert.equal(whyNotAgain(layout), null);
  put(layout.takenBack, note);
  assert.ok((await makeUpgradeSnapshot(layout, NOW)) !== null);
  assert.throws(() => rmSync(layout.takenBack), { code: "ENOENT" });
});
