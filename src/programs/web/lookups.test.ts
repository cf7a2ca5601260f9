import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { NOON, WELL } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { eventRows, record, START } from "../../../test/kit/test-database.ts";
import { until } from "../../../test/kit/until.ts";
import { stats as statsShape } from "../../admin/declare/items.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { openEngine } from "../../store/open.ts";
import { LookupsBusy, StoreDown } from "../../surfaces/api/ports.ts";
import { eventPage } from "../../surfaces/api/routes/schemas.ts";
import { createLookupThread } from "./lookups.ts";

const NEWEST = { most: 9, order: "newest_first" } as const;

function database(): string {
  const path = join(temporaryDirectory(), "engine.db");
  using db = openEngine(path);
  record(new SqliteStore(db), ...eventRows(3, "203.0.113.7", START, { type: "EMAIL" }));
  return path;
}

/** A thread that runs different code. */
function played(t: TestContext, code: string) {
  const limits = { mostWaiting: 2, answerMs: 5_000 };
  const troubles: string[] = [];
  const program = `import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ id, asked }) => {${code}});`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const thread = createLookupThread("/nowhere", (why) => troubles.push(why), limits, url);
  t.after(() => thread.stop());
  return { thread, troubles };
}

function idsIn(text: string): readonly number[] {
  return eventPage.parse(JSON.parse(text)).items.map(({ id }) => id);
}

test("every question is answered from the database, and this thread is not blocked", async (t) => {
  const thread = createLookupThread(database(), assert.fail);
  t.after(() => thread.stop());
  const [events, top, account, stats] = await Promise.all([
    thread.ask("events", NEWEST),
    thread.ask("top", "mails", START, 5),
    thread.ask("account", "anna@example.test"),
    thread.ask("stats", WELL, NOON),
  ]);
  assert.deepEqual(idsIn(events), [3, 2, 1]);
  assert.deepEqual(top, [{ ip: "203.0.113.7", count: 3 }]);
  assert.equal(account.complete, true);
  assert.deepEqual(statsShape().parse(JSON.parse(stats)).counts, { EMAIL: 3 });
});

test("an unreadable database is reported as such, and read once it exists", async (t) => {
  const path = join(temporaryDirectory(), "engine.db");
  const thread = createLookupThread(path, assert.fail);
  t.after(() => thread.stop());
  await assert.rejects(thread.ask("events", NEWEST), StoreDown);
  openEngine(path).close();
  assert.deepEqual(idsIn(await thread.ask("events", NEWEST)), []);
});

test("when the thread dies all waiting questions are refused, and the next question starts a new one", async (t) => {
  const crashing = 'if (asked[0] === "crash") process.exit(3); parentPort.postMessage({ id, value: asked[0] });';
  const { thread, troubles } = played(t, crashing);
  assert.equal(await thread.ask("account", "one"), "one");
  const both = await Promise.allSettled([thread.ask("account", "crash"), thread.ask("account", "two")]);
  for (const one of both) assert.ok(one.status === "rejected" && one.reason instanceof LookupsBusy);
  assert.equal(await thread.ask("account", "three"), "three");
  assert.deepEqual(troubles, ["its thread ended with 3"]);
});

test("a thread that hangs is ended, and a bounded number of questions waits", async (t) => {
  const hangs = join(temporaryDirectory(), "hangs");
  const { thread } = played(
    t,
    `if (asked[0] === "hang") { process.getBuiltinModule("fs").writeFileSync(${JSON.stringify(hangs)}, ""); for (;;); }
    parentPort.postMessage({ id, value: asked[0] });`,
  );
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const [first, second] = [thread.ask("account", "hang"), thread.ask("account", "behind")];
  await assert.rejects(thread.ask("account", "too many"), /too many questions are waiting/);
  await until(() => existsSync(hangs));
  t.mock.timers.tick(5_000);
  await assert.rejects(first, /no answer within 5000 ms/);
  await assert.rejects(second, LookupsBusy);
  t.mock.timers.reset();
  assert.equal(await thread.ask("account", "again"), "again");
});

test("a bug in an answer is reported as a bug, and is not returned for a different question", async (t) => {
  const broken = 'parentPort.postMessage({ id: 99, value: 1 }); parentPort.postMessage({ id, bug: "it broke" });';
  const { thread } = played(t, broken);
  await assert.rejects(thread.ask("account", "one"), (error) => error instanceof Error && error.message === "it broke");
});
