import assert from "node:assert/strict";
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeCheapRepository } from "../../../test/kit/cheap-repository.ts";
import { put } from "../../../test/kit/files.ts";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { becomeNextVersion, writeToday } from "../../../test/kit/next-version.ts";
import { done } from "../../../test/kit/reason-of.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { openAccounts } from "../../store/open.ts";
import { repositoryOf } from "../backup/repository.ts";
import { compareWithBackup } from "./compare-backup.ts";

const NEEDS = { skip: lacking({ root: true, installed: ["restic", "setpriv"] }) };
const TOML = 'domains = ["example.test"]\n';

/** A server with an account and an alias. `backUp` makes a snapshot of its accounts and settings. */
function scene() {
  const layout = temporaryLayout();
  const { settings } = loadValid(TOML);
  put(layout.settings, TOML);
  writeToday("accounts", layout.accountsDb);
  const source = temporaryDirectory();
  const backUp = async (): Promise<void> => {
    makeCheapRepository(layout);
    for (const path of [layout.accountsDb, layout.settings]) cpSync(path, join(source, path.slice(layout.data.length)));
    const how = { host: "x", tag: "nightly", watch: () => undefined } as const;
    done(await repositoryOf(layout, settings).backup(source, how));
  };
  return { layout, backUp, compare: (before: number) => compareWithBackup(layout, { settings, env: {} }, before) };
}

test("names the differences from the last backup before a time", NEEDS, async () => {
  const { layout, backUp, compare } = scene();
  assert.deepEqual(await compare(Date.now()), { ok: false, reason: "there is no backup" });
  await backUp();
  using db = openAccounts(layout.accountsDb);
  db.exec("INSERT INTO alias (address, target) VALUES ('sales@example.test', 'eve@evil.test')");
  put(layout.settings, 'domains = ["example.test", "example.net"]\n');
  put(join(layout.incidents, "comparing", "db", "accounts.db"), "of one that was killed");
  assert.deepEqual(done(await compare(Date.now() + 60_000)).differences, [
    { what: "alias sales@example.test", was: null, is: "to eve@evil.test" },
    { what: "setting domains", was: '["example.test"]', is: '["example.test", "example.net"]' },
  ]);
  assert.deepEqual(await compare(0), { ok: false, reason: "there is no backup from before the incident" });
  assert.deepEqual(readdirSync(layout.incidents), [], "no files are left");
});

test("a backup from before an upgrade is compared too", NEEDS, async (t) => {
  becomeNextVersion(t);
  const { layout, backUp, compare } = scene();
  await backUp();
  using db = openAccounts(layout.accountsDb);
  db.exec("INSERT INTO alias (address, target) VALUES ('sales@example.test', 'eve@evil.test')");
  const found = done(await compare(Date.now() + 60_000));
  assert.deepEqual(found.differences, [{ what: "alias sales@example.test", was: null, is: "to eve@evil.test" }]);
});
