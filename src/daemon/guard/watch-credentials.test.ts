import assert from "node:assert/strict";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { restoreOld } from "../../../test/kit/old-data.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { SqliteCredentials } from "../../adapters/sqlite/accounts-db/admin.ts";
import { SqliteFactors } from "../../adapters/sqlite/accounts-db/factors.ts";
import { initialise } from "../../adapters/sqlite/engine-db/initialise.ts";
import { instant } from "../../core/time.ts";
import { type Layout, layoutOf } from "../../settings/layout.ts";
import { CredentialsWatch } from "./watch-credentials.ts";

const NOW = instant(Date.UTC(2026, 10, 21, 12, 0, 0));

/** A server that an older version ran, with this password of its dashboard. */
function older(hash: string): Layout {
  const layout = layoutOf(temporaryDirectory());
  for (const file of [layout.engineDb, layout.accountsDb]) mkdirSync(dirname(file), { recursive: true });
  restoreOld("accounts", layout.accountsDb);
  using engine = new DatabaseSync(restoreOld("engine", layout.engineDb));
  engine.exec(`DELETE FROM admin; INSERT INTO admin VALUES ('password', '${hash}', 1)`);
  return layout;
}

function start(t: TestContext, layout: Layout) {
  const { engine, accounts, credentialsLeft } = initialise(layout);
  const close = (): void => [engine, accounts].filter((db) => db.isOpen).forEach((db) => db.close());
  t.after(close);
  const notices = new NoticeBoard();
  const credentials = new SqliteCredentials(accounts, { now: () => NOW });
  const factors = new SqliteFactors(accounts);
  const watch = new CredentialsWatch({ notices, credentials, factors, credentialsLeft });
  watch.look();
  return { notices, credentials, factors, watch, close };
}

test("an accounts.db from before the upgrade knows no password: it is told until one is set", (t) => {
  const layout = older("{X}old");
  const first = start(t, layout);
  assert.equal(first.credentials.adminPasswordHash(), "{X}old");
  assert.deepEqual([...first.notices.raised.keys()], []);
  first.close();
  restoreOldOver(layout);
  const { notices, credentials, watch } = start(t, layout);
  assert.equal(credentials.adminPasswordHash(), null);
  assert.deepEqual([...notices.raised.keys()], ["dashboard_password_unset"]);
  credentials.setAdminPassword("{X}new");
  watch.look();
  assert.deepEqual([...notices.raised.keys()], []);
});

test("three recovery codes left are told, until there are new ones or no app", (t) => {
  const { notices, factors, watch } = start(t, older("{X}old"));
  const recovery = ["a", "b", "c", "d"];
  const raised = (): readonly string[] => {
    watch.look();
    return [...notices.raised.keys()];
  };
  factors.setTotp({ secret: Buffer.alloc(20), lastStep: 0, at: NOW, recovery });
  assert.deepEqual(raised(), []);
  factors.useRecovery("a", NOW);
  assert.deepEqual(raised(), ["recovery_codes_few"]);
  factors.renewRecovery(recovery, NOW);
  assert.deepEqual(raised(), []);
  factors.renewRecovery([], NOW);
  assert.deepEqual(raised(), ["recovery_codes_few"]);
  factors.removeTotp();
  assert.deepEqual(raised(), []);
});

test("what could not be erased in engine.db is told with what reads it, and the next start erases it", (t) => {
  const layout = older("{X}old");
  const reader = new DatabaseSync(layout.engineDb, { readOnly: true });
  t.after(() => reader.isOpen && reader.close());
  initialise(layout).engine.close();
  reader.exec("BEGIN; SELECT count(*) FROM event");
  const engine = new DatabaseSync(layout.engineDb);
  engine.exec("INSERT INTO token VALUES ('again', 'x', 'root', 1)");
  engine.close();
  const { notices, close } = start(t, layout);
  assert.match(notices.raised.get("credentials_left") ?? "", /^another program reads it: `fuser -v /);
  close();
  reader.close();
  assert.deepEqual([...start(t, layout).notices.raised.keys()], []);
});

/** `accounts.db` is put back from a backup while the server is stopped. */
function restoreOldOver({ accountsDb }: Layout): void {
  const backup = restoreOld("accounts", join(temporaryDirectory(), "accounts.db"));
  for (const end of ["-wal", "-shm"]) rmSync(`${accountsDb}${end}`, { force: true });
  cpSync(backup, accountsDb);
}
