import assert from "node:assert/strict";
import { test } from "node:test";
import { HOUR_MS, instant, later } from "../../core/time.ts";
import { RefusingDomains } from "./queued-mails.ts";

const START = instant(Date.UTC(2026, 0, 1));
const ANNA = "anna@example.test";

test("at most two refusals of one domain count within the window, whichever subdomain refuses", () => {
  const domains = new RefusingDomains();
  const take = (recipient: string, afterMs = 0, account = ANNA): boolean =>
    domains.take({ account, recipient }, HOUR_MS, later(START, afterMs));
  assert.deepEqual(
    [take("a@hostile.test"), take("b@HOSTILE.test", 9), take("c@hostile.test", 10)],
    [true, true, false],
  );
  assert.equal(take("d@x7.mail.hostile.test", 10), false);
  assert.equal(take("e@other.test", 10), true);
  assert.equal(take("a@hostile.test", 10, "bea@example.test"), true, "each account separately");
  assert.equal(take("f@hostile.test", HOUR_MS), true, "the first has left the window");
  assert.equal(take("g@hostile.test", HOUR_MS), false);
  assert.equal(take("h@hostile.test", -HOUR_MS), true, "the clock was set back");
});

test("a refusal that was undone does not count", () => {
  const domains = new RefusingDomains();
  const take = (recipient: string): boolean => domains.take({ account: ANNA, recipient }, HOUR_MS, START);
  assert.deepEqual([take("a@hostile.test"), take("b@hostile.test"), take("c@hostile.test")], [true, true, false]);
  domains.takeBack({ account: ANNA, recipient: "b@hostile.test" });
  assert.deepEqual([take("d@hostile.test"), take("e@hostile.test")], [true, false]);
});
