import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { answerRequests } from "../test/kit/answered-requests.ts";
import { settled } from "../test/kit/until.ts";
import { clockOffsetMs } from "./api.ts";
import { signedIn } from "./attempt.ts";
import {
  figures,
  followStream,
  health,
  liveness,
  onBans,
  onEvents,
  onGap,
  onStale,
  serverTime,
  taskKey,
  version,
} from "./live.ts";

const STARTED = Date.UTC(2026, 10, 21, 14, 2);

/** Stands in for the browser: what a stream was asked for, and what it delivers. */
class PlayedSource extends EventTarget {
  static readonly CLOSED = 2;
  static readonly opened: PlayedSource[] = [];
  readonly url: string;
  readyState = 1;
  constructor(url: string) {
    super();
    this.url = url;
    PlayedSource.opened.push(this);
  }

  say(name: string, news: unknown, lastEventId = ""): void {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(news), lastEventId }));
  }

  /** An error response ends it permanently. */
  fail(): void {
    this.readyState = PlayedSource.CLOSED;
    this.dispatchEvent(new Event("error"));
  }

  close(): void {
    this.readyState = PlayedSource.CLOSED;
  }
}

function start(t: TestContext) {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout", "Date"], now: STARTED });
  let passed = 0;
  t.mock.method(performance, "now", () => passed);
  /** Lets time pass; the wall clock may be set in between. */
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= 1_000) {
      passed += 1_000;
      t.mock.timers.tick(1_000);
    }
  };
  Object.assign(globalThis, { EventSource: PlayedSource });
  t.after(followStream());
  return { source: () => PlayedSource.opened.at(-1) ?? assert.fail("no stream"), pass };
}

test("the page is live while it hears something, and otherwise says since when it is not", (t) => {
  const { source, pass } = start(t);
  assert.equal(liveness.value.kind, "connecting");
  source().say("beat", { now: "" });
  assert.equal(liveness.value.kind, "live");
  pass(8_000);
  assert.equal(liveness.value.kind, "live");
  pass(2_000);
  assert.deepEqual(liveness.value, { kind: "silent", since: STARTED });
  source().say("beat", { now: "" });
  assert.equal(liveness.value.kind, "live");
  // The computer slept, and `performance.now()` stood still.
  t.mock.timers.setTime(STARTED + 8 * 3_600_000);
  pass(10_000);
  assert.deepEqual(liveness.value, { kind: "silent", since: STARTED + 10_000 });
});

test("the page keeps the server's time, whatever the browser's clock shows", (t) => {
  const { source } = start(t);
  t.after(() => (clockOffsetMs.value = 0));
  const at = (ms: number): string => new Date(STARTED + ms).toISOString();
  source().say("hello", { epoch: "one", version: "1.2.3", now: at(-3_600_000) });
  assert.equal(serverTime(), STARTED - 3_600_000);
  source().say("beat", { now: at(-3_600_500) });
  assert.equal(serverTime(), STARTED - 3_600_000, "that took half a second");
  source().say("beat", { now: at(300) });
  assert.equal(serverTime(), STARTED + 300);
});

test("news reaches its readers until they leave", (t) => {
  const { source } = start(t);
  const heard: string[] = [];
  const leave = [onEvents(() => heard.push("events")), onBans(() => heard.push("bans"))];
  source().say("events", { items: [1, 2], more: false }, "2");
  source().say("bans", { added: ["a", "b"], removed: ["c"], total: 2 });
  assert.deepEqual(heard, ["events", "bans"]);
  for (const one of leave) one();
  source().say("events", { items: [3], more: false }, "3");
  assert.equal(heard.length, 2);
  source().say("hello", { epoch: "one", version: "1.2.3" });
  assert.equal(version.value, "1.2.3");
  source().say("health", { status: "ok" });
  source().say("figures", { bans: 7 });
  assert.deepEqual([health.value, figures.value], [{ status: "ok" }, { bans: 7 }]);
});

test("a task keeps its place, and the focus in it, while its figures change", () => {
  const task = {
    kind: "held_mail",
    code: "mail_held",
    since: null,
    says: "1 mail",
    action: "",
    account: "anna",
  } as const;
  assert.equal(taskKey({ ...task, says: "2 mails" }), taskKey(task));
  assert.notEqual(taskKey({ ...task, account: "bert" }), taskKey(task));
});

test("after an error the stream resumes where it was, unless the session has ended", async (t) => {
  const { source } = start(t);
  const answers = [200, 401];
  answerRequests(t, () => Response.json({}, { status: answers.shift() ?? 500 }));
  const { length } = PlayedSource.opened;
  source().say("events", { items: [41], more: false }, "41");
  source().fail();
  t.mock.timers.tick(3_000);
  await settled();
  assert.equal(PlayedSource.opened.length, length + 1);
  assert.equal(source().url, "api/v1/stream?since=41");
  assert.notEqual(signedIn.value, "no");
  source().fail();
  t.mock.timers.tick(3_000);
  await settled();
  assert.deepEqual([PlayedSource.opened.length, signedIn.value], [length + 1, "no"]);
});

test("a connection that is dead without being closed is replaced, repeatedly, by one at a time", async (t) => {
  const { source, pass } = start(t);
  t.mock.method(globalThis, "fetch", () => Promise.reject(new Error("no way")));
  source().say("events", { items: [41], more: false }, "41");
  const first = source();
  const { length } = PlayedSource.opened;
  for (let turn = 1; turn <= 3; turn += 1) {
    pass(8_000);
    assert.equal(PlayedSource.opened.length, length + turn - 1);
    pass(1_000);
    await settled();
    assert.equal(PlayedSource.opened.length, length + turn);
  }
  assert.equal(first.readyState, PlayedSource.CLOSED);
  assert.equal(source().url, "api/v1/stream?since=41");
  assert.deepEqual(liveness.value, { kind: "silent", since: STARTED });
  source().say("beat", { now: "" });
  assert.equal(liveness.value.kind, "live");
});

test("a proxy that answers for a dead server does not keep the page live", async (t) => {
  const { source, pass } = start(t);
  answerRequests(t, () => Response.json({}, { status: 502 }));
  source().say("beat", { now: "" });
  for (let turn = 1; turn <= 3; turn += 1) {
    assert.equal(liveness.value.kind, "live");
    source().fail();
    pass(3_000);
    await settled();
  }
  assert.deepEqual(liveness.value, { kind: "silent", since: STARTED });
});

test("a clock that is set back hides no silence, and one that is set forward causes none", (t) => {
  const { source, pass } = start(t);
  t.mock.method(globalThis, "fetch", () => Promise.reject(new Error("no way")));
  source().say("beat", { now: "" });
  t.mock.timers.setTime(STARTED + 3_600_000);
  pass(8_000);
  assert.equal(liveness.value.kind, "live");
  t.mock.method(Date, "now", () => STARTED - 3_600_000);
  pass(1_000);
  assert.equal(liveness.value.kind, "silent");
});

test("lists are read again when the stream starts, even after a break, and when it skipped events, which is noticed", (t) => {
  const { source } = start(t);
  let [read, gaps] = [0, 0];
  for (const leave of [onStale(() => (read += 1)), onGap(() => (gaps += 1))]) t.after(leave);
  const seen = (name: string, news: unknown): number => {
    source().say(name, news);
    return read;
  };
  assert.equal(seen("hello", { epoch: "one", version: "1.2.3" }), 1);
  assert.equal(seen("events", { items: [1], more: false }), 1);
  assert.equal(seen("hello", { epoch: "one", version: "1.2.3" }), 2);
  assert.equal(gaps, 0);
  assert.equal(seen("events", { items: [9_000], more: true }), 3);
  assert.equal(gaps, 1);
});
