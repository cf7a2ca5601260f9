import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE_REFUSALS } from "./live-refusals.ts";

test("what the guard refuses itself is told from what Postfix, Dovecot and the milters refuse", () => {
  for (const reason of ["recipient_unknown", "block_listed", "banned", "bounce_recipients"] as const)
    assert.ok(LIVE_REFUSALS.includes(reason), reason);
  for (const reason of ["relay_refused", "helo_refused", "spam_refused", "dmarc_refused", "below_limit"] as const)
    assert.ok(!LIVE_REFUSALS.includes(reason), reason);
});
