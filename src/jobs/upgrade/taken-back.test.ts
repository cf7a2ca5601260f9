import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { oldData, upgradeDatabases } from "../../../test/kit/next-version.ts";
import { instant } from "../../core/time.ts";
import { schemasOf } from "../../store/schemas.ts";
import { rollBack } from "./rollback.ts";
import { makeUpgradeSnapshot, refuseUnfitData, whyNotAgain } from "./upgrade-snapshot.ts";

const NOW = instant(Date.UTC(2026, 10, 21, 12, 0, 0));

async function takenBack(t: TestContext) {
  const layout = oldData(t);
  const snapshot = await makeUpgradeSnapshot(layout, NOW);
  assert.ok(snapshot !== null);
  upgradeDatabases(layout);
  assert.equal(whyNotAgain(layout), null);
  rollBack(layout, snapshot, NOW);
  return layout;
}

test("the version that a rollback left does not upgrade again, with one sentence and code 4", async (t) => {
  const layout = await takenBack(t);
  assert.throws(() => refuseUnfitData(layout), {
    name: "SetUpFailure",
    message: /^The upgrade of engine\.db to schema 2 was undone: .* or delete \S+\.json to/,
    exitCode: 4,
  });
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
