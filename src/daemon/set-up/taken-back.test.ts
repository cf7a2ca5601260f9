import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { restoreOld } from "../../../test/kit/old-data.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { openAccounts, openEngine } from "../../adapters/sqlite/open.ts";
import { schemasOf } from "../../adapters/sqlite/schemas.ts";
import { instant } from "../../core/time.ts";
import { layoutOf } from "../../settings/layout.ts";
import { rollBack } from "./rollback.ts";
import { whyNotAgain } from "./taken-back.ts";
import { makeUpgradeSnapshot } from "./upgrade-snapshot.ts";

const START = join(import.meta.dirname, "start.ts");
const NOW = instant(Date.UTC(2026, 10, 21, 12, 0, 0));

async function takenBack() {
  const layout = layoutOf(temporaryDirectory());
  chmodSync(layout.data, 0o755);
  restoreOld("engine", layout.engineDb);
  restoreOld("accounts", layout.accountsDb);
  writeFileSync(layout.settings, 'domains = ["example.test"]\n');
  const snapshot = await makeUpgradeSnapshot(layout, NOW);
  assert.ok(snapshot !== null);
  openEngine(layout.engineDb).close();
  openAccounts(layout.accountsDb).close();
  assert.equal(whyNotAgain(layout), null);
  rollBack(layout, snapshot, NOW);
  return layout;
}

test("the version that a rollback left does not upgrade again, with one sentence and code 4", {
  skip: lacking({ root: true }),
}, async () => {
  const layout = await takenBack();
  const env = { PATH: process.env["PATH"], GHOSTINBOX_DATA: layout.data };
  const { status, stderr } = spawnSync(process.execPath, [START], { env, encoding: "utf8" });
  assert.match(
    stderr,
    /^ghostinbox: The upgrade of engine\.db to schema \d+ was taken back: .* or delete \S+\.json to/m,
  );
  assert.equal(status, 4);
  assert.deepEqual(
    schemasOf(layout).map(({ version }) => version),
    [8, 3],
  );
});

test("the older version starts, and so does a still newer one", async () => {
  const layout = await takenBack();
  const schemas = schemasOf(layout);
  assert.equal(
    whyNotAgain(
      layout,
      schemas.map((one) => ({ ...one, known: one.version })),
    ),
    null,
  );
  assert.equal(
    whyNotAgain(
      layout,
      schemas.map((one) => ({ ...one, known: one.known + 1 })),
    ),
    null,
  );
});

test("it goes on once the note is deleted, and an upgrade deletes the note", async () => {
  const layout = await takenBack();
  const note = JSON.stringify({ "engine.db": 1_000 });
  assert.match(whyNotAgain(layout) ?? "", /was taken back/);
  rmSync(layout.takenBack);
  assert.equal(whyNotAgain(layout), null);
  writeFileSync(layout.takenBack, note);
  assert.ok((await makeUpgradeSnapshot(layout, NOW)) !== null);
  assert.throws(() => rmSync(layout.takenBack), { code: "ENOENT" });
});
