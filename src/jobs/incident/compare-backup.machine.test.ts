import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { makeCheapRepository } from "../../../test/kit/cheap-repository.ts";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { becomeNextVersion, writeToday } from "../../../test/kit/next-version.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { openAccounts } from "../../store/open.ts";
import { repositoryOf } from "../backup/repository.ts";
import { compareWithBackup } from "./compare-backup.ts";

test("names the differences from the last backup before a time", {
  skip: lacking({ root: true, installed: ["restic", "setpriv"] }),
}, async () => {
  const top = temporaryDirectory();
  const layout = layoutOf(join(top, "data"));
  for (const path of [layout.accountsDb, layout.settings]) mkdirSync(dirname(path), { recursive: true });
  const { settings } = loadValid('domains = ["example.test"]\n');
  const compare = (before: number) => compareWithBackup(layout, { settings, env: {} }, before);
  assert.deepEqual(await compare(Date.now()), { ok: false, reason: "there is no backup" });
  writeFileSync(layout.settings, 'domains = ["example.test"]\n');
  const db = openAccounts(layout.accountsDb);
  db.exec("INSERT INTO account (name, password, created_at) VALUES ('anna@example.test', '{ARGON2ID}one', 0)");
  makeCheapRepository(layout);
  const restic = repositoryOf(layout, settings);
  const source = join(top, "source");
  const copy = (path: string): string => join(source, path.slice(layout.data.length));
  mkdirSync(dirname(copy(layout.accountsDb)), { recursive: true });
  cpSync(layout.settings, copy(layout.settings));
  db.exec(`VACUUM INTO '${copy(layout.accountsDb)}'`);
  const made = await restic.backup(source, { host: "x", tags: [], watch: () => undefined });
  assert.ok(made.ok, JSON.stringify(made));
  db.exec("INSERT INTO alias (address, target) VALUES ('info@example.test', 'eve@evil.test')");
  writeFileSync(layout.settings, 'domains = ["example.test", "example.net"]\n');
  mkdirSync(join(layout.incidents, "comparing", "db"), { recursive: true });
  writeFileSync(join(layout.incidents, "comparing", "db", "accounts.db"), "of one that was killed");
  const found = await compare(Date.now() + 60_000);
  assert.ok(found.ok, JSON.stringify(found));
  assert.deepEqual(found.differences, [
    { what: "alias info@example.test", was: null, is: "to eve@evil.test" },
    { what: "setting domains", was: '["example.test"]', is: '["example.test", "example.net"]' },
  ]);
  assert.deepEqual(await compare(0), { ok: false, reason: "there is no backup from before the incident" });
  assert.deepEqual(readdirSync(layout.incidents), [], "no files are left");
});

test("a backup from before an upgrade is compared too", {
  skip: lacking({ root: true, installed: ["restic", "setpriv"] }),
}, async (t) => {
  becomeNextVersion(t);
  const top = temporaryDirectory();
  const layout = layoutOf(join(top, "data"));
  const toml = 'domains = ["example.test"]\n';
  const source = join(top, "source");
  const copy = (path: string): string => join(source, path.slice(layout.data.length));
  writeToday("accounts", copy(layout.accountsDb));
  writeFileSync(copy(layout.settings), toml);
  writeToday("accounts", layout.accountsDb);
  writeFileSync(layout.settings, toml);
  const db = openAccounts(layout.accountsDb);
  db.exec("INSERT INTO alias (address, target) VALUES ('sales@example.test', 'eve@evil.test')");
  const { settings } = loadValid(toml);
  makeCheapRepository(layout);
  const restic = repositoryOf(layout, settings);
  assert.ok((await restic.backup(source, { host: "x", tags: [], watch: () => undefined })).ok);
  const found = await compareWithBackup(layout, { settings, env: {} }, Date.now() + 60_000);
  assert.ok(found.ok, JSON.stringify(found));
  assert.deepEqual(found.differences, [{ what: "alias sales@example.test", was: null, is: "to eve@evil.test" }]);
});
