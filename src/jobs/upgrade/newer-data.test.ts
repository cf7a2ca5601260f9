// Invariant: An older program never changes newer data.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";

const START = join(import.meta.dirname, "../../programs/set-up/start.ts");

test("an older program refuses newer data with one sentence and code 4, and nothing is changed", {
  skip: lacking({ root: true }),
}, () => {
  const layout = layoutOf(temporaryDirectory());
  chmodSync(layout.data, 0o755);
  writeFileSync(layout.settings, 'domains = ["example.test"]\n');
  for (const path of [layout.engineDb, layout.accountsDb]) {
    mkdirSync(dirname(path), { recursive: true });
    using db = new DatabaseSync(path);
    db.exec(`CREATE TABLE t (x); PRAGMA user_version = ${path === layout.engineDb ? 1000 : 1}`);
  }
  const before = treeOf(layout.data);
  const env = { PATH: process.env["PATH"], GHOSTINBOX_DATA: layout.data };
  const { status, stderr, stdout } = spawnSync(process.execPath, [START], { env, encoding: "utf8" });
  assert.match(
    stderr,
    /^ghostinbox: \S+engine\.db was written by a newer GhostInbox \(its schema is 1000, [^\n]*\.\n$/m,
  );
  assert.equal(stdout, "");
  assert.equal(status, 4);
  assert.deepEqual(treeOf(layout.data), before);
});

/** Every file below, with its contents. */
function treeOf(top: string): readonly (readonly [string, string])[] {
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted()
    .map((path) => [path, readFileSync(path, "latin1")]);
}
