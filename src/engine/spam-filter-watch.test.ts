import assert from "node:assert/strict";
import { test } from "node:test";
import { NoticeBoard } from "../../test/kit/engine-kit.ts";
import { instant } from "../core/time.ts";
import type { Outcome } from "./ports.ts";
import { SpamFilterWatch } from "./spam-filter-watch.ts";

test("a filter that is silent for a while is told of, a short silence is not, and its return ends it", async () => {
  let now = 0;
  let answer: Outcome = { ok: true };
  const notices = new NoticeBoard();
  const watch = new SpamFilterWatch({
    ping: () => Promise.resolve(answer),
    notices,
    clock: { now: () => instant(now) },
  });
  const after = async (seconds: number): Promise<boolean> => {
    for (const end = now + seconds * 1000; now < end; now += 1000) await watch.look();
    return notices.raised.has("spam_filter_down");
  };
  assert.equal(await after(20), false);
  answer = { ok: false, reason: "spamd said nothing for 3 s" };
  assert.equal(await after(6), false, "it starts anew within seconds");
  assert.equal(await after(12), true);
  answer = { ok: true };
  assert.equal(await after(6), false);
});
