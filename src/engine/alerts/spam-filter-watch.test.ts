import assert from "node:assert/strict";
import { test } from "node:test";
import { NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { instant } from "../../core/time.ts";
import type { Outcome } from "../ports.ts";
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

test("the filter is asked every four seconds, and told of at its eighth second of silence", async () => {
  let now = 0;
  let asked = 0;
  const notices = new NoticeBoard();
  const watch = new SpamFilterWatch({
    ping: () => {
      asked += 1;
      return Promise.resolve({ ok: false, reason: `silence ${asked}` });
    },
    notices,
    clock: { now: () => instant(now) },
  });
  const at = async (ms: number): Promise<string | undefined> => {
    now = ms;
    await watch.look();
    return notices.raised.get("spam_filter_down");
  };
  assert.equal(await at(0), undefined);
  await at(3_999);
  assert.equal(asked, 1);
  assert.equal(await at(4_000), undefined);
  assert.equal(await at(8_000), "silence 3");
});
