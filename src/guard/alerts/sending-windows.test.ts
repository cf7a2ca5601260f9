import assert from "node:assert/strict";
import { test } from "node:test";
import { windowsOf } from "../../../test/kit/alert-windows-kit.ts";
import { DAY_MS, HOUR_MS, instant, MINUTE_MS } from "../../core/time.ts";

const kit = windowsOf(import.meta.filename);

const ANNA = "anna@example.test";
const HELD = { account: ANNA, from: "203.0.113.66", count: 100, limit: 20, windowMs: HOUR_MS, recipients: 100 };

test("a held account is reported until its owner vouches for it, with its held mail, the address and the reason", () => {
  kit.take("EMAIL_HELD", HELD);
  assert.deepEqual(kit.holding(), [`account_held ${ANNA}`]);
  const why = `${ANNA} wrote to 100 people within 1h to whom it had never written, limit 20`;
  assert.deepEqual(kit.details(), [`1 mail to 100 recipients from 203.0.113.66/32 is held; ${why}`]);
  kit.take("EMAIL_HELD", { ...HELD, recipients: 1 });
  assert.deepEqual(kit.details(), [`2 mails to 101 recipients from 203.0.113.66/32 are held; ${why}`]);
  kit.wait(3 * DAY_MS);
  assert.deepEqual(kit.holding(), [`account_held ${ANNA}`], "for as long as it lasts");
  kit.take("ACCOUNT_RELEASED", { account: "bert@example.test" });
  assert.deepEqual(kit.holding(), [`account_held ${ANNA}`]);
  kit.take("ACCOUNT_RELEASED", { account: ANNA });
  assert.deepEqual(kit.holding(), []);
});

test("a hold because of refusals says so", () => {
  kit.take("EMAIL_HELD", { ...HELD, count: 11, limit: 10, limitKey: "limits.sending.refused" });
  const why = `mail to 11 people to whom ${ANNA} had never written was refused within 1h, limit 10`;
  assert.deepEqual(kit.details(), [`1 mail to 100 recipients from 203.0.113.66/32 is held; ${why}`]);
});

test("a hold from before a restart is still reported, unless it has ended since", () => {
  const times = { openedAt: instant(0), lastAt: instant(0), resolvedAt: null };
  kit.remember([{ code: "account_held", subject: ANNA, detail: "as before", ...times }]);
  assert.deepEqual(kit.details(), ["as before"]);
  kit.take("EMAIL_HELD", HELD);
  assert.match(kit.details()[0] ?? "", /^1 mail to 100 recipients from /, "held since the restart");
  kit.take("ACCOUNT_REMOVED", { account: ANNA });
  assert.deepEqual(kit.holding(), []);
});

test("a sending limit is reported once, for an hour; ten mails within a minute are not reported", () => {
  const limited = { account: ANNA, from: "198.51.100.7", count: 51, limit: 50 };
  kit.take("EMAIL_DEFERRED", { ...limited, reason: "account_mail_limit", windowMs: MINUTE_MS });
  kit.take("EMAIL_DEFERRED", { ...limited, reason: "provider_busy", windowMs: HOUR_MS });
  kit.take("EMAIL_DEFERRED", { ...limited, account: null, reason: "account_recipient_limit", windowMs: MINUTE_MS });
  assert.deepEqual(kit.holding(), []);
  kit.take("EMAIL_DEFERRED", { ...limited, reason: "account_recipient_limit", windowMs: MINUTE_MS });
  assert.deepEqual(kit.holding(), [`sending_limited ${ANNA}`]);
  assert.deepEqual(kit.details(), ["51 recipients within 1m, limit 50, the last from 198.51.100.7/32"]);
  kit.take("EMAIL_DEFERRED", { ...limited, reason: "account_mail_limit", windowMs: HOUR_MS });
  assert.deepEqual(kit.details(), ["51 mails within 1h, limit 50, the last from 198.51.100.7/32"]);
  kit.wait(HOUR_MS);
  assert.deepEqual(kit.holding(), []);
});

test("many accounts leave room for other alerts", () => {
  for (let i = 0; i < 200; i++) {
    kit.take("EMAIL_HELD", { account: `held${i}@example.test` });
    kit.take("EMAIL_DEFERRED", { account: `limited${i}@example.test`, reason: "account_recipient_limit" });
  }
  assert.equal(kit.holding().length, 100);
  const [held, limited] = [kit.details()[0], kit.details()[50]];
  assert.equal(held, "1 mail to 1 recipient from ? is held", "as far as it is known");
  assert.equal(limited, "? recipients within 0ms, limit ?, the last from ?");
});
