import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { engineOnMemory, SILENT } from "../../../test/kit/engine-kit.ts";
import { put } from "../../../test/kit/files.ts";
import { net } from "../../../test/kit/samples.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { scalarOf } from "../../../test/kit/test-database.ts";
import { until } from "../../../test/kit/until.ts";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import { SECOND_MS } from "../../core/time.ts";
import { sqliteBanLog } from "../../store/engine-db/ban-log.ts";
import { sqliteEventNames } from "../../store/events/event-index.ts";
import { sqliteEventTally } from "../../store/events/event-tally.ts";
import { createHousekeeping } from "./housekeeping.ts";

const WELL = (): KeeperReply | Promise<never> => ({ ok: true, detail: "" });

/** Real housekeeping. The clock is moved by hand, so that bans end when the test says. */
async function setUp(t: TestContext, { keeper = WELL, failures = null as string[] | null, isFlooded = false } = {}) {
  const kit = engineOnMemory();
  const { notices, clock } = kit;
  const eventNames = sqliteEventNames(kit.db);
  if (isFlooded) eventNames.step = () => true;
  const tally = sqliteEventTally(kit.db);
  if (failures !== null)
    tally.step = () => {
      throw new Error("database is locked");
    };
  const layout = temporaryLayout();
  const readiness: (string | null)[] = [];
  const said = (why: string): unknown => (failures === null ? assert.fail(why) : failures.push(why));
  const housekeeping = createHousekeeping({
    engine: kit.engine,
    banLog: sqliteBanLog(kit.db),
    eventNames,
    removal: { round: () => Promise.resolve() },
    watches: { often: [], seldom: [] },
    queue: { round: () => Promise.resolve() },
    store: kit.sqlite,
    tally,
    disk: { lacksRoom: () => false },
    deliveries: { look: async (ready) => void readiness.push(ready) },
    clock,
    notices,
    log: { ...SILENT, error: (_, fields) => said(String(fields?.["why"])) },
    layout,
    keeper: { ask: async () => keeper() },
  });
  await housekeeping.finishBreakGlass();
  housekeeping.start();
  t.after(() => housekeeping.stop());
  return { ...kit, layout, readiness };
}

test("bans and allow entries end during a flood and while a keeper hangs, and no second request is sent to it", async (t) => {
  let asked = 0;
  const keeper = () => {
    asked += 1;
    return new Promise<never>(() => undefined);
  };
  const { engine, clock, db } = await setUp(t, { keeper, isFlooded: true });
  await until(() => asked === 1);
  const soon = { note: "", durationMs: SECOND_MS, by: "root" } as const;
  await engine.ask({ type: "BAN_ASKED", prefix: net("203.0.113.7"), ...soon });
  await engine.ask({ type: "ALLOW_ASKED", prefix: net("198.51.100.7"), ...soon });
  clock.advance(10 * SECOND_MS);
  const ended = "SELECT count(*) FROM event WHERE type IN ('BAN_EXPIRED', 'ALLOW_EXPIRED')";
  await until(() => scalarOf(db, ended) === 2);
  assert.equal(asked, 1);
});

test("a database that can be written again is noticed even without mail", async (t) => {
  const { engine, store, notices, db, clock } = await setUp(t);
  store.failing = "commit";
  assert.equal(await engine.audit({ type: "BREAK_GLASS", subject: "a full disk", by: "root" }), false);
  assert.ok(notices.raised.has("database_unwritable"));
  store.failing = null;
  // After a refusal the engine waits before it tries the database again.
  clock.advance(2 * SECOND_MS);
  await until(() => !notices.raised.has("database_unwritable"));
  assert.equal(scalarOf(db, "SELECT count(*) FROM event"), 0, "the probe recorded no event");
});

test("a break-glass that the guard could not carry out is finished once the database can be written", async (t) => {
  const { engine, store, clock, layout, db } = await setUp(t);
  await engine.ask({ type: "BAN_ASKED", prefix: net("203.0.113.7"), note: "", durationMs: null, by: "root" });
  store.failing = "commit";
  put(layout.breakGlass);
  assert.equal(await engine.audit({ type: "BREAK_GLASS", subject: "a full disk", by: "root" }), false);
  store.failing = null;
  clock.advance(2 * SECOND_MS);
  await until(() => !existsSync(layout.breakGlass));
  assert.deepEqual([...sqliteBanLog(db).active(clock.now())], []);
});

test("mailboxes accept mail while Dovecot runs, works, and has space", async (t) => {
  const dovecot = { name: "dovecot", up: true, pid: 812 };
  const silence = { says: "It gave no answer.", isBeyondHelp: false };
  const replies: KeeperReply[] = [
    { ok: true, detail: "", services: [dovecot] },
    { ok: true, detail: "", services: [{ ...dovecot, silence }] },
    { ok: true, detail: "", services: [{ ...dovecot, trouble: "it keeps exiting" }] },
    { ok: true, detail: "", services: [{ ...dovecot, up: false, pid: null }] },
    { ok: true, detail: "" },
  ];
  const { readiness, clock } = await setUp(t, { keeper: () => replies.shift() ?? { ok: false, reason: "" } });
  await until(() => {
    clock.advance(SECOND_MS);
    return readiness.length === 5;
  });
  assert.deepEqual(readiness, ["812", null, null, null, null]);
});

test("a task that keeps failing stops no other, and is logged once", async (t) => {
  const failures: string[] = [];
  let asked = 0;
  const locked = { code: "database_locked", detail: "pid 812", about: ["engine.db"] } as const;
  const keeper = (): KeeperReply => {
    asked += 1;
    return { ok: true, detail: "", troubles: [locked] };
  };
  const { notices, clock } = await setUp(t, { keeper, failures });
  await until(() => {
    clock.advance(SECOND_MS);
    return asked >= 2;
  });
  assert.equal(notices.raised.get("database_locked"), "pid 812");
  assert.deepEqual(notices.about.get("database_locked"), ["engine.db"]);
  assert.deepEqual(failures, ["database is locked"]);
});
