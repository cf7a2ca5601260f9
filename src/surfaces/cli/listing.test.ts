import assert from "node:assert/strict";
import { test } from "node:test";
import { type PageRequest, pageByKey } from "../../admin/declare/paging.ts";
import { failed } from "./call.ts";
import { andMore, gather, limitFrom } from "./listing.ts";

const ITEMS = Array.from({ length: 1_200 }, (_, i) => String(i).padStart(4, "0"));

test("fetches as many items as requested, a page at a time", async () => {
  const asked: PageRequest[] = [];
  const all = (limit: number) =>
    gather({ limit, cursor: null }, (page) => {
      asked.push(page);
      return Promise.resolve({ ok: true, result: pageByKey(ITEMS, page, (item) => item) });
    });
  const result = { items: ITEMS.slice(0, 700), next: "0699", total: 1_200 };
  assert.deepEqual(await all(700), { ok: true, result });
  assert.deepEqual(asked, [
    { limit: 500, cursor: null },
    { limit: 200, cursor: "0499" },
  ]);
  assert.deepEqual(await all(10_000), { ok: true, result: { items: ITEMS, next: null, total: 1_200 } });
});

test("a page that cannot be fetched fails the list", async () => {
  const problem = failed("no", "");
  assert.equal(await gather({ limit: 5, cursor: null }, () => Promise.resolve(problem)), problem);
});

test("a list with further pages says so, and how many items are left if known", () => {
  const page = { next: "41", total: 100_000, shown: 50 };
  assert.match(andMore(page, null), /^\n… and 99,950 more: .*--cursor 41 /);
  assert.match(andMore(page, "91"), /^\n… and more: .*--cursor 41 /);
  assert.equal(andMore({ ...page, next: null }, null), "");
});

test("accepts a limit from 1 to 10000, and has a default; any other is wrong usage, with the accepted range", () => {
  const limits = [null, "1", "007", "10000"].map((text) => limitFrom(text, 50, "events"));
  assert.deepEqual(limits, [50, 1, 7, 10_000]);
  const wrong = { ok: false, exit: "wrong_usage", next: "Give 1 to 10000." };
  for (const text of ["0", "10001", "9999999", "-1", "1.5", "x", "", "1e3"])
    assert.deepEqual(limitFrom(text, 50, "events"), { ...wrong, message: `"${text}" is not a number of events.` });
});
