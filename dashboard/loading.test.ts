import assert from "node:assert/strict";
import { test } from "node:test";
import { afterFailure, isOf, type Load, NOTHING_LOADED, stillListed } from "./api.ts";

const FORMER: Load<string> = { data: "events of all", error: null, asked: "all" };

const WRONG = { text: "is not an IP address", lang: "en" } as const;

test("rows of the former question are not shown for one that failed", () => {
  const failed = afterFailure(FORMER, "ip=300.1.1.1", WRONG);
  assert.deepEqual(failed, { data: null, error: WRONG, asked: "ip=300.1.1.1" });
  assert.equal(afterFailure(failed, "ip=300.1.1.1", WRONG).data, null);
});

test("what could not be refreshed stays, below the reason", () => {
  assert.deepEqual(afterFailure(FORMER, "all", WRONG), { ...FORMER, error: WRONG });
});

test("rows of the former question are not of the one that is asked now", () => {
  assert.ok(isOf(FORMER, "all"));
  assert.ok(!isOf(FORMER, "sender=form@example.test"));
  assert.ok(!isOf(NOTHING_LOADED, NOTHING_LOADED.asked), "nothing is of nothing");
});

test("a row that is not listed any more is not selected either", () => {
  assert.deepEqual([...stillListed(new Set(["A", "B", "C"]), ["C", "D", "A"])].toSorted(), ["A", "C"]);
});
