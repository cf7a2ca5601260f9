import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { BansWatch } from "./watch-bans.ts";

test("more bans in force than the setting are reported, not counting the owner's", () => {
  const notices = new NoticeBoard();
  let [counts, nowMs] = [{ engine: 12, fail2ban: 8, manual: 90 }, 1];
  const figures = { bansInForce: () => counts };
  const watch = new BansWatch({ figures, clock: new HandClock(), notices, most: () => 20 });
  const look = (engine: number): string | undefined => {
    counts = { ...counts, engine };
    nowMs += 5_000;
    watch.look(nowMs);
    return notices.raised.get("bans_in_force");
  };
  assert.equal(look(12), undefined);
  assert.match(look(13) ?? "", /^21 bans in force/);
  counts = { ...counts, engine: 0 };
  watch.look(nowMs + 4_999);
  assert.ok(notices.raised.has("bans_in_force"), "it checks every five seconds");
  assert.equal(look(12), undefined);
});
