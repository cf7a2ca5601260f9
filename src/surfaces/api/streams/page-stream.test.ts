// Invariant: Retention lowers no counter, and no event is missing from a page's stream.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { apiKitOf, BAN, bearer, idsFrom, openStream } from "../../../../test/kit/api-kit.ts";
import { HEALTH } from "../../../../test/kit/fake-guard.ts";
import { until } from "../../../../test/kit/until.ts";
import { VERSION } from "../../../core/version.ts";
import { API_LIMITS } from "../limits.ts";

const kit = apiKitOf(import.meta.filename);
type Message = Readonly<{ name: string; id: string | undefined; data: Readonly<Record<string, unknown>> }>;
async function open(t: TestContext, query = "", headers: Readonly<Record<string, string>> = bearer) {
  const stream = await openStream(t, `${kit.url}/api/v1/stream${query}`, headers);
  assert.equal(stream.status, 200);
  return {
    ...stream,
    /** Reads messages until one matches; returns all of them. */
    until: (isIt: (message: Message) => boolean) =>
      stream.until((text) => {
        const messages = parse(text);
        return messages.some(isIt) ? messages : null;
      }),
  };
}

function parse(text: string): readonly Message[] {
  const whole = text.split("\n\n").slice(0, -1);
  return whole.flatMap((one) => {
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, "m").exec(one)?.[1];
    const name = field("event");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each message is an object
    const data = JSON.parse(field("data") ?? "{}") as Message["data"];
    return name === undefined ? [] : [{ name, id: field("id"), data }];
  });
}

const is = (name: string) => (message: Message) => message.name === name;
const idsOf = (messages: readonly Message[]): readonly number[] =>
  messages.filter(is("events")).flatMap(({ data }) => {
    const items: readonly unknown[] = Array.isArray(data["items"]) ? data["items"] : [];
    return items.map((item) => (typeof item === "object" && item !== null && "id" in item ? Number(item.id) : 0));
  });
const upTo = (id: number) => (message: Message) => message.name === "events" && message.id === String(id);

test("the stream starts with the current state, and sends everything that a page shows", async (t) => {
  kit.queries.add("CONNECT");
  const messages = await (await open(t)).until(is("health"));
  const [hello, bans] = messages;
  const data = { epoch: "first", version: VERSION, now: "2026-11-20T07:00:00.000Z", beatSeconds: 5 };
  assert.deepEqual(hello, { name: "hello", id: "1", data });
  assert.deepEqual(bans?.data, { added: [], removed: [], total: 1 });
  assert.deepEqual(messages.find(is("health"))?.data, HEALTH);
  const figures = messages.find(is("figures"))?.data ?? assert.fail("no figures");
  assert.deepEqual(Object.keys(figures), ["at", "bans", "day", "hour", "minutes"]);
  assert.ok(messages.some(is("beat")));
  assert.ok(!messages.some(is("events")), "earlier events are not news");
});

test("events within a quarter of a second form one message, and none is missing", async (t) => {
  const reader = await open(t);
  await reader.until(is("beat"));
  const from = performance.now();
  for (let i = 1; i <= 60; i++) {
    kit.commit("CONNECT");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const messages = await reader.until(upTo(60));
  const most = (performance.now() - from) / API_LIMITS.batchMs + 2;
  assert.deepEqual(idsOf(messages), idsFrom(1, 60));
  const batches = messages.filter(is("events"));
  assert.ok(batches.length > 1 && batches.length <= most, `${batches.length} messages`);
});

test("a reader resumes after the last id that it saw; skipped events are announced", async (t) => {
  const some = API_LIMITS.batchRows + 20;
  for (let i = 0; i < some; i++) kit.queries.add("CONNECT");
  const all = await (await open(t, "?since=3", { ...bearer, "last-event-id": "10" })).until(upTo(some));
  assert.deepEqual(idsOf(all), idsFrom(11, some - 10));
  assert.ok(all.filter(is("events")).every(({ data }) => data["more"] === false));
  for (let i = 0; i < API_LIMITS.mostMissed; i++) kit.queries.add("CONNECT");
  const newest = some + API_LIMITS.mostMissed;
  const far = await (await open(t, "?since=3")).until(upTo(newest));
  assert.deepEqual(idsOf(far), idsFrom(newest - API_LIMITS.rowsAfterGap + 1, API_LIMITS.rowsAfterGap));
  assert.equal(far.find(is("events"))?.data["more"], true);
});

const OTHER = { ...BAN, prefix: "203.0.113.8/32" };

test("bans come as a difference", async (t) => {
  kit.queries.steps.push(BAN);
  const reader = await open(t);
  await reader.until(is("beat"));
  kit.queries.steps.push(OTHER, BAN.prefix);
  kit.notify();
  const messages = await reader.until(({ name, data }) => name === "bans" && data["removed"]?.toString() !== "");
  assert.deepEqual(messages.findLast(is("bans"))?.data, { added: [OTHER], removed: [BAN.prefix], total: 1 });
});

test("while the database is down, health is still sent; missed events follow afterwards", async (t) => {
  const reader = await open(t);
  await reader.until(is("beat"));
  kit.storeDown(true);
  const moves = setInterval(() => kit.advance(100), 100);
  t.after(() => clearInterval(moves));
  await reader.until(({ name, data }) => name === "health" && data["status"] === "down");
  for (let i = 0; i < 3; i++) kit.queries.add("CONNECT");
  kit.queries.steps.push(OTHER, BAN.prefix);
  kit.storeDown(false);
  const messages = await reader.until(({ name, data }) => name === "bans" && data["removed"]?.toString() !== "");
  assert.deepEqual(idsOf(messages), [1, 2, 3]);
  const { added, removed } = messages.findLast(is("bans"))?.data ?? assert.fail("no bans");
  assert.deepEqual([added, removed], [[OTHER], [BAN.prefix]]);
});

test("a replaced database is announced, and read from the start", async (t) => {
  for (let i = 0; i < 9; i++) kit.queries.add("CONNECT");
  const reader = await open(t);
  await reader.until(is("beat"));
  kit.queries.rows.length = 4;
  kit.queries.epoch = "second";
  kit.notify();
  const messages = await reader.until(({ name, data }) => name === "hello" && data["epoch"] === "second");
  assert.equal(messages.findLast(is("hello"))?.id, "4");
  kit.commit("BAN");
  assert.deepEqual(idsOf(await reader.until(upTo(5))), [5]);
  const stale = await (await open(t, "?since=900")).until(is("hello"));
  assert.equal(stale[0]?.id, "5", "an id from another database");
});

test("a bug ends the stream, and is reported", async (t) => {
  const reader = await open(t);
  await reader.until(is("beat"));
  t.mock.method(kit.queries, "banChanges", () => assert.fail("a bug"));
  kit.notify();
  await reader.end();
  assert.match(String(kit.problems), /a bug/);
  await until(() => kit.subscribers() === 0);
});
