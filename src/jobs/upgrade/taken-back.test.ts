import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { writeOldDatabases } from "../../../test/kit/next-version.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { instant } from "../../core/time.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import { layoutOf } from "../../settings/layout.ts";
import { openAccounts, openEngine } from "../../store/open.ts";
import { schemasOf } from "../../store/schemas.ts";
import { rollBack } from "./rollback.ts";
import { makeUpgradeSnapshot, refuseUnfitData, whyNotAgain } from "./upgrade-snapshot.ts";

const NOW = instant(Date.UTC(2026, 10, 21, 12, 0, 0));

async function takenBack(t: TestContext) {
  const layout = layoutOf(temporaryDirectory());
  writeOldDatabases(t, layout);
  writeFileSync(layout.settings, 'domains = ["example.test"]\n');
  const snapshot = await makeUpgradeSnapshot(layout, NOW);
  assert.ok(snapshot !== null);
  openEngine(layout.engineDb).close();
  openAccounts(layout.accountsDb).close();
  assert.equal(whyNotAgain(layout), null);
  rollBack(layout, snapshot, NOW);
  return layout;
}

test("the version that a rollback left does not upgrade again, with one sentence and code 4", async (t) => {
  const layout = await takenBack(t);
  assert.throws(
    () => refuseUnfitData(layout),
    (error) => {
      assert.ok(error instanceof SetUpFailure);
      assert.match(error.message, /^The upgrade of engine\.db to schema 2 was undone: .* or delete \S+\.json to/);
      assert.equal(error.exitCode, 4);
      return true;
    },
  );
  assert.deepEqual(
    schemasOf(layout).map(({ version }) => version),
    [1, 1],
  );
});

test("the older version starts, and so does a still newer one", async (t) => {
  const layout = await takenBack(t);
  const schemas = schemasOf(layout);
  const older = schemas.map((one) => ({ ...one, known: one.version }));
  const newer = schemas.map((one) => ({ ...one, known: one.known + 1 }));
  assert.equal(whyNotAgain(layout, older), null);
  assert.equal(whyNotAgain(layout, newer), null);
});

test("it starts again once the note is deleted, and an upgrade deletes the note", async (t) => {
  const layout = await takenBack(t);
  const note = JSON.stringify({ "engine.db": 1_000 });
  assert.match(whyNotAgain(layout) ?? "", /was undone/);
  rmSync(layout.takenBack);
  assert.equal(whyNotAgain(layout), null);
  writeFileSync(layout.takenBack, note);
  assert.ok((await makeUpgradeSnapshot(layout, NOW)) !== null);
  assert.throws(() => rmSync(layout.takenBack), { code: "ENOENT" });
});
