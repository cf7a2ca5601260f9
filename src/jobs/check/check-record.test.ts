import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS } from "../../core/time.ts";
import { changeCheckRecord, fallen, NO_CHECKS, noted, readCheckRecord } from "./check-record.ts";

const seen = (id: string, state: "ok" | "unknown" | "warning" | "wrong") => ({ id, state, evidence: "seen" });

test("a check counts as newly failed if it passed before, until it passes again", () => {
  const first = noted(NO_CHECKS, [seen("a.a", "wrong"), seen("a.b", "ok"), seen("a.c", "ok")], 1, true);
  assert.deepEqual(fallen(first), []);
  const second = noted(first, [seen("a.a", "wrong"), seen("a.b", "wrong"), seen("a.c", "warning")], 2, true);
  assert.deepEqual(fallen(second), ["a.b"]);
  const third = noted(second, [seen("a.b", "wrong"), seen("a.c", "unknown"), seen("a.a", "ok")], 3, true);
  assert.deepEqual(fallen(third), ["a.b"]);
  assert.deepEqual(fallen(noted(third, [seen("a.b", "ok")], 4, false)), []);
});

test("a failure stays while it cannot be checked, for at most a month", () => {
  const passed = noted(NO_CHECKS, [seen("a.a", "ok"), seen("a.b", "wrong")], 1, true);
  const fell = noted(passed, [{ ...seen("a.a", "wrong"), evidence: "It expired." }, seen("a.b", "wrong")], 2, true);
  const unseen = [seen("a.a", "unknown"), seen("a.b", "unknown")];
  const hidden = noted(fell, unseen, 3, true);
  assert.deepEqual(fallen(hidden), ["a.a"]);
  assert.equal(hidden.checks["a.a"]?.evidence, "It expired.");
  const never = hidden.checks["a.b"]?.state;
  assert.equal(never, "wrong", "even if the check never passed, although it is not newly failed");
  assert.deepEqual(fallen(noted(hidden, [seen("a.a", "ok")], 4, true)), []);
  const month = 30 * DAY_MS;
  const still = noted(hidden, unseen, month + 2, true);
  assert.deepEqual(fallen(still), ["a.a"]);
  const given = noted(still, unseen, month + 3, true);
  assert.deepEqual([fallen(given), given.checks["a.b"]?.state], [[], "unknown"]);
  const seenAgain = noted(noted(still, [seen("a.a", "wrong")], month + 3, true), unseen, month + 4, true);
  assert.deepEqual(fallen(seenAgain), ["a.a"]);
});

test("running some checks does not change the others, a full run removes obsolete ones", () => {
  const first = noted(NO_CHECKS, [seen("a.a", "ok"), seen("a.b", "ok")], 1, true);
  const part = noted(first, [seen("a.b", "wrong")], 2, false);
  assert.deepEqual([part.at, Object.keys(part.checks)], [1, ["a.a", "a.b"]]);
  const whole = noted(part, [seen("a.b", "wrong")], 3, true);
  assert.deepEqual([whole.at, Object.keys(whole.checks)], [3, ["a.b"]]);
});

test("the record keeps what is not changed, and is read back whole", () => {
  const layout = temporaryLayout("checkRecord");
  assert.deepEqual(readCheckRecord(layout), NO_CHECKS);
  const checks = { "a.a": { state: "wrong", evidence: "seen", passedAt: 1, unseenSince: 2 } } as const;
  changeCheckRecord(layout, { since: 7, checks });
  changeCheckRecord(layout, { at: 8 });
  assert.deepEqual(readCheckRecord(layout), { ...NO_CHECKS, since: 7, at: 8, checks });
});
