import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type TestContext, test } from "node:test";
import { NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { instant } from "../../core/time.ts";
import { lookAtFactors } from "../../guard/access/factors.ts";
import { type Layout, layoutOf } from "../../settings/layout.ts";
import { SqliteCredentials } from "../../store/accounts-db/credentials.ts";
import { SqliteFactors } from "../../store/accounts-db/factors.ts";
import { initialise } from "../../store/recovery/initialise.ts";

const NOW = instant(Date.UTC(2026, 10, 21, 12, 0, 0));

function newLayout(): Layout {
  const layout = layoutOf(temporaryDirectory());
  for (const file of [layout.engineDb, layout.accountsDb]) mkdirSync(dirname(file), { recursive: true });
  return layout;
}

function start(t: TestContext, layout: Layout) {
  const { engine, accounts } = initialise(layout);
  const close = (): void => [engine, accounts].filter((db) => db.isOpen).forEach((db) => db.close());
  t.after(close);
  const notices = new NoticeBoard();
  const credentials = new SqliteCredentials(accounts, { now: () => NOW });
  const factors = new SqliteFactors(accounts);
  const look = (): void => lookAtFactors({ notices, credentials, factors });
  look();
  return { notices, credentials, factors, look, close };
}

test("a dashboard without a password is reported until one is set", (t) => {
  const { notices, credentials, look } = start(t, newLayout());
  assert.deepEqual([...notices.raised.keys()], ["dashboard_password_unset"]);
  credentials.setAdminPassword("{X}new");
  look();
  assert.deepEqual([...notices.raised.keys()], []);
});

test("three remaining recovery codes are reported, until there are new ones or no app", (t) => {
  const { notices, credentials, factors, look } = start(t, newLayout());
  credentials.setAdminPassword("{X}new");
  const recovery = ["a", "b", "c", "d"];
  const raised = (): readonly string[] => {
    look();
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
