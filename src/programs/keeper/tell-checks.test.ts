import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { parseKeeperReply } from "../../admin/declare/keeper.ts";
import { changeCheckRecord } from "../../jobs/check/check-record.ts";
import { layoutOf } from "../../settings/layout.ts";
import { checksOf } from "./tell.ts";

const AT = "2026-11-20T06:00:00.000Z";

test("each check is shown with its state and its last pass, without its evidence", () => {
  const layout = layoutOf(temporaryDirectory());
  assert.deepEqual(checksOf(layout), { at: null, checks: [] });
  mkdirSync(dirname(layout.checkRecord), { recursive: true });
  const at = Date.parse(AT);
  const evidence = "anna@example.org has a password that can be guessed";
  changeCheckRecord(layout, {
    at,
    checks: {
      "accounts.passwords": { state: "wrong", evidence, passedAt: null },
      "tls.certificate": { state: "ok", evidence: "It is valid.", passedAt: at },
    },
  });
  const checks = [
    { id: "accounts.passwords", state: "wrong", passedAt: null },
    { id: "tls.certificate", state: "ok", passedAt: AT },
  ];
  assert.deepEqual(checksOf(layout), { at: AT, checks });
  const reply = { ok: true, detail: "", checks: { at: AT, checks } };
  assert.deepEqual(parseKeeperReply(JSON.stringify(reply)), reply);
});
