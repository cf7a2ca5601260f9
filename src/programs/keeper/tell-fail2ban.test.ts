import assert from "node:assert/strict";
import { test } from "node:test";
import { FAIL2BAN } from "../../../test/kit/keeper-reports.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { parseKeeperReply } from "../../admin/declare/keeper.ts";
import { layoutOf } from "../../settings/layout.ts";
import { tellFail2ban } from "./tell.ts";

const layout = layoutOf(temporaryDirectory());

test("a Fail2ban that is off has no jails", async () => {
  const fail2ban = { enabled: false, sentences: "all", jails: [], refused: [] };
  const off = { "fail2ban.enabled": false, "fail2ban.sentences": "all" } as const;
  assert.deepEqual(await tellFail2ban(layout, off), { ok: true, detail: "", fail2ban });
});

test("a Fail2ban that should run and is missing is reported as such", async () => {
  const reported = await tellFail2ban(layout, { "fail2ban.enabled": true, "fail2ban.sentences": "unjudged" });
  assert.ok(!reported.ok);
  assert.match(reported.reason, /^Fail2ban (?:does not answer|cannot be asked)\.$/);
});

test("the guard can read the keeper's answer about it", () => {
  const reply = { ok: true, detail: "", fail2ban: FAIL2BAN };
  assert.deepEqual(parseKeeperReply(JSON.stringify(reply)), reply);
});
