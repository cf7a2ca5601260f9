import assert from "node:assert/strict";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { apiKitOf, bearer, idsFrom, idsOf, type OpenStream, openStream, signIn } from "../../../../test/kit/api-kit.ts";
import { TOKEN } from "../../../../test/kit/fake-guard.ts";
import { until } from "../../../../test/kit/until.ts";
import { API_LIMITS } from "../limits.ts";
import { openStream as openLive } from "./live-stream.ts";
import { createEventFeed, resumeFrom } from "./streams.ts";

const kit = apiKitOf(import.meta.filename);

function open(t: TestContext, query = "", headers: Readonly<Record<string, string>> = bearer) {
  return openStream(t, `${kit.url}/api/v1/events/stream${query}`, headers);
}

test("a reader resumes after Last-Event-ID, over many pages, with nothing repeated or missing", async (t) => {
  const most = API_LIMITS.streamRows * 3 + 7;
  for (let i = 0; i < most; i++) kit.queries.add("CONNECT");
  const reader = await open(t, "?after=1", { ...bearer, "last-event-id": "5" });
  assert.deepEqual(await idsOf(reader, most - 5), idsFrom(6, most - 5), "the header wins over the query");
});

test("a reader with an id from another database gets all events of this one", () => {
  for (let i = 0; i < 3; i++) kit.queries.add("CONNECT");
  const feed = createEventFeed(kit.parts, { after: 50 });
  const ids = (): readonly string[] => feed.read(0).match(/^id: .*/gm) ?? [];
  assert.deepEqual(ids(), ["id: 1", "id: 2", "id: 3"]);
  kit.queries.rows.length = 1;
  assert.deepEqual(ids(), ["id: 1"], "restored while it reads");
  kit.queries.add("BAN");
  assert.deepEqual(ids(), ["id: 2"]);
});

test("an invalid Last-Event-ID is ignored", () => {
  assert.equal(resumeFrom(new Headers({ "last-event-id": "x" }), 3), 3);
  assert.equal(resumeFrom(new Headers(), undefined), null);
});

test("a filtered stream sends only matching events, and continues after skipped ones", async (t) => {
  const reader = await open(t, "?type=BAN&ip=203.0.113.7&after=0");
  kit.queries.add("CONNECT");
  kit.commit("BAN", "203.0.113.8");
  kit.commit("BAN");
  assert.deepEqual(await idsOf(reader, 1), [3]);
});

test("a quiet stream ends within seconds after its session, whose time its checks do not prolong", async (t) => {
  const cookie = await signIn(kit);
  t.mock.timers.enable({ apis: ["setInterval"] });
  const reader = await open(t, "?after=0", { cookie });
  kit.commit("CONNECT");
  await idsOf(reader, 1);
  kit.guard.identified = [];
  kit.guard.isDown = true;
  t.mock.timers.tick(API_LIMITS.callerAgeMs);
  await new Promise((resolve) => setImmediate(resolve));
  kit.guard.isDown = false;
  t.mock.timers.tick(API_LIMITS.callerAgeMs);
  await until(() => kit.guard.identified.length > 0);
  assert.deepEqual([...new Set(kit.guard.identified.map(({ isUse }) => isUse))], [false]);
  kit.commit("CONNECT");
  await idsOf(reader, 2);
  kit.guard.callers.clear();
  const over = assert.rejects(reader.end());
  t.mock.timers.tick(API_LIMITS.callerAgeMs);
  await over;
  await until(() => kit.subscribers() === 0);
});

test("a stream that started with a remembered answer about an ended token closes at once", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  assert.equal((await fetch(`${kit.url}/api/v1/session`, { headers: bearer })).status, 200);
  kit.guard.callers.clear();
  await assert.rejects(fetch(`${kit.url}/api/v1/events/stream`, { headers: bearer }).then((began) => began.text()));
  await until(() => kit.subscribers() === 0);
});

test("the number of streams is bounded, and a reader that leaves is forgotten", async (t) => {
  const readers: OpenStream[] = [];
  const { streams, streamsOfOne } = API_LIMITS;
  for (let n = 0; n < streams / streamsOfOne; n++) {
    const cookie = await signIn(kit);
    for (let i = 0; i < streamsOfOne; i++) readers.push(await open(t, "", { cookie }));
    assert.equal((await open(t, "", { cookie })).status, 503, "it has its share");
  }
  assert.equal((await open(t)).status, 503);
  assert.equal(kit.subscribers(), streams);
  readers[0]?.close();
  await until(() => kit.subscribers() === streams - 1);
  assert.equal((await open(t)).status, 200);
});

test("HEAD returns the headers of a stream without opening one", async (t) => {
  for (const path of ["stream", "events/stream"])
    for (let i = 0; i <= API_LIMITS.streams; i++) {
      const { status, headers } = await fetch(`${kit.url}/api/v1/${path}`, { method: "HEAD", headers: bearer });
      assert.deepEqual([status, headers.get("content-type")], [200, "text/event-stream"]);
    }
  assert.equal(kit.subscribers(), 0);
  assert.equal((await fetch(`${kit.url}/api/v1/stream`, { method: "HEAD" })).status, 401);
  assert.equal((await open(t)).status, 200);
});

test("a failing database ends the stream, so that the reader reconnects", async (t) => {
  const reader = await open(t);
  kit.storeDown(true);
  kit.notify();
  await reader.end();
});

test("for a reader that takes nothing, no more is read than the socket holds", async (t) => {
  const rows = 3_000;
  for (let i = 0; i < rows; i++) kit.queries.add("CONNECT", null, "x".repeat(10_000));
  let pages = 0;
  const events = kit.queries.events.bind(kit.queries);
  t.mock.method(kit.queries, "events", (filter: Parameters<typeof events>[0]) => {
    if (filter.most === API_LIMITS.streamRows) pages += 1;
    return events(filter);
  });
  const socket = connect(kit.port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.pause();
  socket.write(`GET /api/v1/events/stream?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
  await until(() => pages > 1);
  let before = -1;
  await until(async () => {
    const isStill = pages === before;
    before = pages;
    if (!isStill) await pause(200);
    return isStill;
  });
  assert.ok(pages < rows / API_LIMITS.streamRows, `${pages} pages were read for no one`);
});

test("a quiet stream sends heartbeats, and a stalled reader is dropped", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  t.mock.method(performance, "now", () => now);
  let dropped = 0;
  let ended = 0;
  const watched = { stillAllowed: () => true, drop: () => (dropped += 1) };
  const feed = createEventFeed(kit.parts, { after: null });
  const reader = openLive(kit.parts, feed, watched, () => (ended += 1)).body.getReader();
  const read = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);
  assert.equal(await read(), "retry: 3000\n\n");
  let text: string | null = null;
  const next = read().then((value) => (text = value));
  await until(() => {
    now += API_LIMITS.streamBeatMs / 10;
    t.mock.timers.tick(API_LIMITS.streamBeatMs / 10);
    return text !== null;
  });
  assert.equal(await next, ": alive\n\n");
  await until(() => {
    kit.commit("CONNECT"); // until the buffers to the reader are full and the stream waits for it
    t.mock.timers.tick(API_LIMITS.streamStallMs);
    return dropped > 0;
  });
  assert.deepEqual([dropped, ended, kit.subscribers()], [1, 1, 0]);
});
