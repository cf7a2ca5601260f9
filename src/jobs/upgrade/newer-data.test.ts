// Invariant: An older program never changes newer data.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { ROOT } from "../../../test/kit/needs.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { filesBelow } from "../../host/root-files/walk.ts";

const START = join(import.meta.dirname, "../../programs/set-up/start.ts");

test("an older program refuses newer data with one sentence and code 4, and nothing is changed", ROOT, () => {
  const layout = temporaryLayout();
  chmodSync(layout.data, 0o755);
  writeFileSync(layout.settings, 'domains = ["example.test"]\n');
  for (const path of [layout.engineDb, layout.accountsDb]) {
    mkdirSync(dirname(path), { recursive: true });
    using db = new DatabaseSync(path);
    db.exec(`CREATE TABLE t (x); PRAGMA user_version = ${path === layout.engineDb ? 1000 : 1}`);
  }
  const tree = () => filesBelow(layout.data).map((path) => [path, readFileSync(path, "latin1")]);
  const before = tree();
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, GHOSTINBOX_DATA: layout.data };
  const { status, stderr, stdout } = spawnSync(process.execPath, [START], { env, encoding: "utf8" });
  const refusal = /^ghostinbox: \S+engine\.db was written by a newer GhostInbox \(its schema is 1000, [^\n]*\.\n$/m;
  assert.match(stderr, refusal);
  assert.equal(stdout, "");
  assert.equal(status, 4);
  assert.deepEqual(tree(), before);
});
