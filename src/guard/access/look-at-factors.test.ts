import assert from "node:assert/strict";
import { test } from "node:test";
import { accountsOnMemory, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { instant } from "../../core/time.ts";
import { lookAtFactors } from "./factors.ts";

const NOW = instant(Date.UTC(2026, 10, 21, 12, 0, 0));

function kit() {
  const notices = new NoticeBoard();
  const { credentials, factors } = accountsOnMemory();
  const raised = (): readonly string[] => {
    lookAtFactors({ notices, credentials, factors });
    return [...notices.raised.keys()];
  };
  return { credentials, factors, raised };
}

test("a dashboard without a password is reported until one is set", () => {
  const { credentials, raised } = kit();
  assert.deepEqual(raised(), ["dashboard_password_unset"]);
  credentials.setAdminPassword("{X}new");
  assert.deepEqual(raised(), []);
});

test("three remaining recovery codes are reported, until there are new ones or no app", () => {
  const { credentials, factors, raised } = kit();
  credentials.setAdminPassword("{X}new");
  const recovery = ["a", "b", "c", "d"];
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
