import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE_REFUSALS } from "./report.ts";

test("the guard's own refusals are distinguished from those of Postfix, Dovecot and the milters", () => {
  for (const reason of ["recipient_unknown", "block_listed", "banned", "bounce_recipients"] as const)
    assert.ok(LIVE_REFUSALS.includes(reason), reason);
  const ofOthers = ["relay_refused", "helo_refused", "spam_refused", "dmarc_refused", "mailbox_full"] as const;
  for (const reason of [...ofOthers, "below_limit"] as const) assert.ok(!LIVE_REFUSALS.includes(reason), reason);
});
