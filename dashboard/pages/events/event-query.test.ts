import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { EventItem } from "../../../src/admin/declare/items.ts";
import { answerRequests } from "../../../test/kit/answered-requests.ts";
import { eventItem } from "../../../test/kit/samples.ts";
import { setZone } from "../../../test/kit/time-zone.ts";
import { addressOf, fieldsFor, filterOf, findEvents, isFiltered, OF_EXPORT } from "./event-query.ts";

const FROM = Date.UTC(2026, 10, 21, 12);

/** Event `id` came `id` minutes after noon, of a, b or c in turn. */
function eventOf(id: number): EventItem {
  const at = new Date(FROM + id * 60_000).toISOString();
  return eventItem("LOGIN_FAILED", { id, at, details: `event ${id}. of ${"cab"[id % 3]}` });
}

/** The route of events, over this many of them: a search looks at `looksAt`. Returns the requests. */
function serve(t: TestContext, most: number, looksAt = 1_000): readonly string[] {
  return answerRequests(t, (request) => {
    const query = new URLSearchParams(request.split("?")[1]);
    const [before, limit] = [Number(query.get("cursor") ?? most + 1), Number(query.get("limit"))];
    const looked = Array.from({ length: Math.min(looksAt, before - 1) }, (_, index) => eventOf(before - 1 - index));
    const items = looked.filter(({ details }) => details.includes(query.get("text") ?? "")).slice(0, limit);
    const last = (items.length === limit ? items : looked).at(-1);
    const next = last !== undefined && last.id > 1 ? String(last.id) : null;
    return { items, next, searchedTo: next === null ? null : last?.at };
  });
}

test("without a filter, events come as one page of the server", async (t) => {
  const asked = serve(t, 1_000);
  const { items, next } = await findEvents(filterOf({}), null);
  assert.deepEqual([items.length, items[0]?.id, next], [50, 1_000, "951"]);
  assert.deepEqual(asked, ["GET events?limit=50"]);
  assert.equal((await findEvents(filterOf({}), next)).items[0]?.id, 950);
});

test("rare events are searched answer by answer, and the search continues where it ended", async (t) => {
  serve(t, 2_000);
  const search = { most: 500, mostAnswers: 8 };
  const first = await findEvents(filterOf({ text: "of a" }), null, search);
  const second = await findEvents(filterOf({ text: "of a" }), first.next, search);
  const ids = [...first.items, ...second.items].map(({ id }) => id);
  assert.deepEqual([first.items.length, new Set(ids).size, second.next], [500, 667, null]);
  assert.ok(ids.every((id) => id % 3 === 1));
});

test("everything is filtered by the server", async (t) => {
  const asked = serve(t, 10);
  const [from, to] = ["2026-11-21T12:00Z", "2026-11-21T13:00Z"];
  await findEvents(filterOf({ type: "BAN", ip: " 192.0.2.0/24 ", account: "anna", text: "a b", from, to }), null);
  const times = "from=2026-11-21T12%3A00%3A00.000Z&to=2026-11-21T13%3A00%3A59.999Z";
  assert.equal(asked[0], `GET events?type=BAN&ip=192.0.2.0%2F24&account=anna&text=a+b&${times}&limit=50`);
});

for (const [what, search, answers] of [
  ["a search", undefined, 8],
  ["an export", OF_EXPORT, 200],
] as const)
  test(`${what} that finds nothing gives up after a while, and says how far it got`, async (t) => {
    const asked = serve(t, 300_000);
    const { items, next, searchedTo } = await findEvents(filterOf({ text: "nowhere" }), null, search);
    const last = 300_001 - answers * 1_000;
    assert.deepEqual([items, asked.length, next, searchedTo], [[], answers, `${last}`, eventOf(last).at]);
  });

test("a time is a filter, and a cursor is not", () => {
  assert.ok(!isFiltered(filterOf({ before: "7" })));
  assert.ok(isFiltered(filterOf({ to: "2026-11-21T12:03" })));
});

test("a time in the address means the same in every time zone, and is shown in the reader's own", (t) => {
  t.after(setZone("Europe/Berlin"));
  const query = addressOf({ type: "BAN", from: "2026-11-21T14:02", to: "2026-07-01T00:30" });
  assert.deepEqual(query, { type: "BAN", from: "2026-11-21T13:02Z", to: "2026-06-30T22:30Z" });
  assert.deepEqual(fieldsFor(query), { type: "BAN", from: "2026-11-21T14:02", to: "2026-07-01T00:30" });
  assert.equal(filterOf(query).to, "2026-06-30T22:30:59.999Z", "the last minute counts whole");
  assert.equal(filterOf({ to: "2026-06-30T22:30:31Z" }).to, "2026-06-30T22:30:31.000Z");
  setZone("America/New_York");
  assert.equal(fieldsFor(query)["from"], "2026-11-21T08:02");
  assert.equal(filterOf(query).from, "2026-11-21T13:02:00.000Z");
  assert.equal(filterOf({ from: "2026-11-21T08:02" }).from, "2026-11-21T13:02:00.000Z");
  for (const none of [addressOf({}), fieldsFor({ to: "nonsense" })]) assert.deepEqual(none, { from: "", to: "" });
});

const LOOKED = 4_000;

test("an export contains everything that matches the filter, newest first, and reports its progress", async (t) => {
  serve(t, 1_200, LOOKED);
  const progress: number[] = [];
  const onProgress = (count: number): void => void progress.push(count);
  const { items, searchedTo } = await findEvents(filterOf({}), null, { ...OF_EXPORT, onProgress });
  assert.deepEqual([items.length, items[0]?.id, items.at(-1)?.id, searchedTo], [1_200, 1_200, 1, null]);
  assert.deepEqual(progress, [500, 1_000, 1_200]);
});

test("an export never contains more than its limit", async (t) => {
  serve(t, 200_000, LOOKED);
  const cut = await findEvents(filterOf({ text: "of a" }), null, OF_EXPORT);
  assert.equal(cut.items.length, 10_000);
  assert.notEqual(cut.searchedTo, null);
});

test("an export that is stopped sends no further requests", async (t) => {
  const asked = serve(t, 40_000, LOOKED);
  const stop = new AbortController();
  await findEvents(filterOf({}), null, { ...OF_EXPORT, stop: stop.signal, onProgress: () => stop.abort() });
  assert.equal(asked.length, 1);
});
