import assert from "node:assert/strict";
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { type TestContext, test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { record } from "../../../test/kit/test-database.ts";
import { auditRecord } from "../../core/events/command.ts";
import type { AuditType } from "../../core/events/event-types.ts";
import { DAY_MS, HOUR_MS, isoTime, MINUTE_MS } from "../../core/time.ts";
import { appendRecord } from "../../host/root-files/record-file.ts";
import type { MailAlarm } from "../../mail/notifiers/alert-mails.ts";
import type { Layout } from "../../settings/layout.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { checkAudit, lastAudited } from "../../store/events/audit.ts";
import { openEngine } from "../../store/open.ts";
import { readAnchors } from "./audit-anchors.ts";
import { createAccessReviewWatch, createAnchorMails, createAuditWatch } from "./audit-watch.ts";

/** Answers in this process; the keeper starts a separate one. */
const databasesOf = ({ engineDb, auditAnchors }: Layout): Parameters<typeof createAuditWatch>[1] => ({
  checkAudit: async (now) => checkAudit(engineDb, readAnchors(auditAnchors).anchors, now),
});

function scene(t: TestContext) {
  const layout = temporaryLayout("engineDb", "auditAnchors", "keeperSocket");
  const db = openEngine(layout.engineDb);
  t.after(() => db.close());
  const store = new SqliteStore(db);
  const clock = new HandClock();
  const watch = createAuditWatch(layout, databasesOf(layout), clock);
  const audit = (type: AuditType) => record(store, auditRecord({ type, subject: "x", by: "root" }, clock.now()));
  const obey = () => audit("SETTINGS_APPLIED");
  const lookAfter = async (ms: number) => {
    clock.advance(ms);
    await watch.look();
    return watch.troubles().map(({ code, detail }) => `${code}: ${detail}`);
  };
  const anchored = () => readAnchors(layout.auditAnchors).anchors.map(({ id }) => id);
  return { layout, db, clock, watch, audit, obey, lookAfter, anchored };
}

test("the last entry is anchored at the first check and each hour, if there is a new one", async (t) => {
  const { obey, lookAfter, anchored } = scene(t);
  obey();
  await lookAfter(MINUTE_MS);
  assert.deepEqual(anchored(), [1]);
  obey();
  await lookAfter(MINUTE_MS);
  assert.deepEqual(anchored(), [1]);
  await lookAfter(HOUR_MS);
  await lookAfter(HOUR_MS);
  assert.deepEqual(anchored(), [1, 2]);
});

test("the result of the last check has its time", async (t) => {
  const { layout, db, clock, watch, obey, lookAfter } = scene(t);
  assert.equal(watch.report(), null);
  await lookAfter(0);
  const empty = { first: 0, last: 0, anchored: null, unreadableAnchors: 0, fault: null };
  assert.deepEqual(watch.report(), { checkedAt: isoTime(clock.now()), ...empty });
  obey();
  obey();
  await lookAfter(HOUR_MS);
  const at = isoTime(clock.now());
  assert.deepEqual(watch.report(), { ...empty, checkedAt: at, first: 1, last: 2, anchored: { id: 2, at } });
  appendFileSync(layout.auditAnchors, "nonsense\n");
  db.exec("UPDATE audit_entry SET subject = 'other' WHERE id = 2");
  await lookAfter(HOUR_MS);
  const { fault, ...rest } = watch.report() ?? assert.fail();
  assert.deepEqual(rest, { checkedAt: isoTime(clock.now()), first: 1, last: 2, anchored: null, unreadableAnchors: 1 });
  assert.match(fault?.says ?? "", /^entry 2 was changed/);
});

test("a truncated or edited audit is reported until it is valid again; the anchors that prove it stay", async (t) => {
  const { layout, db, clock, obey, lookAfter, anchored } = scene(t);
  for (let i = 0; i < 3; i++) obey();
  assert.deepEqual(await lookAfter(0), []);
  db.exec("DELETE FROM audit_entry WHERE id = 3");
  assert.match((await lookAfter(HOUR_MS)).join("\n"), /^audit_broken: 1 entry from 3 on is missing/);
  assert.deepEqual(anchored(), [3, 2]);
  assert.equal((await lookAfter(MINUTE_MS)).length, 1);
  assert.deepEqual(anchored(), [3, 2]);
  const { last: id, head: hash, sum, numbered } = checkAudit(layout.engineDb, [], clock.now());
  const accepted = { reason: "a test", sum, numbered };
  appendRecord(layout.auditAnchors, { at: isoTime(clock.now()), id, hash, accepted });
  assert.deepEqual(await lookAfter(MINUTE_MS), []);
  obey();
  assert.deepEqual(await lookAfter(HOUR_MS), [], "the next entry has the number after the removed one");
});

test("a failed read does not replace the report of an edited audit, and a restart of the keeper does not end it", async (t) => {
  const { layout, db, clock, watch, obey, lookAfter } = scene(t);
  obey();
  await lookAfter(0);
  db.exec("UPDATE audit_entry SET subject = 'other'");
  await lookAfter(HOUR_MS);
  renameSync(layout.engineDb, `${layout.engineDb}.aside`);
  await assert.rejects(lookAfter(MINUTE_MS));
  assert.match(watch.troubles()[0]?.detail ?? "none", /^entry 1 was changed/);
  const next = createAuditWatch(layout, databasesOf(layout), clock);
  assert.match(next.troubles()[0]?.detail ?? "none", /^this was found before the keeper restarted/);
  await assert.rejects(next.look());
  assert.match(next.troubles()[0]?.detail ?? "none", /^this was found before the keeper restarted/);
  clock.advance(10 * MINUTE_MS);
  assert.match(next.troubles()[0]?.detail ?? "none", /^the audit cannot be read/);
});

test("an edited audit is reported although no anchor can be written", async (t) => {
  const { layout, db, clock, watch, obey, lookAfter } = scene(t);
  obey();
  obey();
  await lookAfter(0);
  db.exec("UPDATE audit_entry SET hash = '' WHERE id = 2");
  const full = `${layout.auditAnchors}.full`;
  renameSync(layout.auditAnchors, full);
  symlinkSync(full, layout.auditAnchors);
  clock.advance(HOUR_MS);
  await assert.rejects(watch.look());
  assert.match(watch.troubles()[0]?.detail ?? "none", /^entry 2 was changed/);
  assert.equal(watch.report()?.checkedAt, isoTime(clock.now()));
});

for (const { what, sql } of [
  { what: "is gone", sql: "DROP TABLE audit_entry" },
  {
    what: "is a view without an end",
    sql: `DROP TABLE audit_entry; CREATE VIEW audit_entry (id, at, actor, type, subject, detail, previous, hash) AS
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, '', '', '', '', '', '', '' FROM n WHERE i < 0`,
  },
  {
    what: "holds what no entry holds",
    sql: `DROP TABLE audit_entry; CREATE TABLE audit_entry (id, at, actor, type, subject, detail, previous, hash);
      INSERT INTO audit_entry VALUES (1, NULL, x'00', 1, 1, 1, 1, 1)`,
  },
])
  test(`an audit whose table ${what} is reported at once`, async (t) => {
    const { db, obey, lookAfter } = scene(t);
    obey();
    assert.deepEqual(await lookAfter(0), []);
    db.exec(sql);
    assert.match((await lookAfter(HOUR_MS)).join("\n"), /^audit_broken: the audit cannot be read: /);
  });

test("a missing database is checked again soon, and reported after ten minutes", async () => {
  const layout = temporaryLayout("keeperSocket");
  const clock = new HandClock();
  const keeper = () => createAuditWatch(layout, databasesOf(layout), clock);
  const watch = keeper();
  await assert.rejects(watch.look());
  clock.advance(9 * MINUTE_MS);
  await assert.rejects(watch.look());
  assert.deepEqual(watch.troubles(), []);
  clock.advance(MINUTE_MS);
  const [trouble] = watch.troubles();
  assert.equal(trouble?.code, "audit_broken");
  assert.match(trouble?.detail ?? "", /^the audit cannot be read: .*engine\.db does not exist/);
  await assert.rejects(watch.look());
  const next = keeper();
  await assert.rejects(next.look());
  const says = /^this was found before the keeper restarted; no check has finished since: .*engine\.db does not exist/;
  assert.match(next.troubles()[0]?.detail ?? "none", says, "a restart of the keeper does not end it");
  clock.advance(10 * MINUTE_MS);
  assert.deepEqual(next.troubles(), [trouble]);
  mkdirSync(dirname(layout.engineDb), { recursive: true });
  openEngine(layout.engineDb).close();
  await watch.look();
  assert.deepEqual(watch.troubles(), []);
  rmSync(layout.engineDb);
  const last = keeper();
  await assert.rejects(last.look());
  assert.deepEqual(last.troubles(), []);
});

test("anchors that cannot be read for ten minutes are reported", async (t) => {
  const { layout, clock, watch } = scene(t);
  mkdirSync(layout.auditAnchors);
  await assert.rejects(watch.look(), /EISDIR/);
  clock.advance(10 * MINUTE_MS);
  for (const byMs of [0, -DAY_MS]) {
    clock.advance(byMs);
    assert.match(watch.troubles()[0]?.detail ?? "none", /^the audit cannot be read: .*EISDIR/);
  }
});

function mailed() {
  const auditAnchors = temporaryLayout("auditAnchors").auditAnchors;
  const clock = new HandClock();
  const mails: Parameters<MailAlarm>[0][] = [];
  const state = { queueFails: false };
  const mail: MailAlarm = async (alarm) => {
    mails.push(alarm);
    return state.queueFails ? { ok: false, reason: "no queue" } : { ok: true, detail: "" };
  };
  const anchor = (id: number): void =>
    appendRecord(auditAnchors, { at: isoTime(clock.now()), id, hash: String(id).repeat(64) });
  const mailAnchor = createAnchorMails({ auditAnchors }, clock, mail);
  const after = async (ms: number): Promise<readonly string[]> => {
    clock.advance(ms);
    await mailAnchor();
    return mails.splice(0).map(({ title }) => title);
  };
  return { auditAnchors, mails, state, anchor, after };
}

test("the newest anchor is sent once, on a day with new entries", async () => {
  const { anchor, after, auditAnchors } = mailed();
  assert.deepEqual(await after(0), [], "nothing is anchored");
  anchor(1);
  assert.deepEqual(await after(HOUR_MS), []);
  anchor(2);
  assert.deepEqual(await after(DAY_MS), ["Audit: entry 2"]);
  assert.deepEqual(await after(2 * DAY_MS), [], "nothing is new");
  anchor(3);
  assert.deepEqual(await after(0), ["Audit: entry 3"]);
  anchor(4);
  assert.deepEqual(await after(HOUR_MS), []);
  const noted = readAnchors(auditAnchors).anchors.map(({ id, mailed }) => (mailed ? `${id} mailed` : `${id}`));
  assert.deepEqual(noted, ["1", "2", "2 mailed", "3", "3 mailed", "4"]);
});

test("an anchor is not sent again because that could not be noted", async () => {
  const { anchor, after, mails, auditAnchors } = mailed();
  anchor(1);
  // Root writes nothing where others could.
  chmodSync(dirname(auditAnchors), 0o777);
  await assert.rejects(after(DAY_MS));
  assert.equal(mails.splice(0).length, 1);
  assert.deepEqual(await after(MINUTE_MS), []);
  chmodSync(dirname(auditAnchors), 0o700);
  anchor(2);
  assert.deepEqual(await after(DAY_MS), ["Audit: entry 2"]);
});

test("the mail contains an anchor that can be compared", async () => {
  const { anchor, mails, after, auditAnchors, state } = mailed();
  anchor(7);
  state.queueFails = true;
  assert.equal((await after(DAY_MS)).length, 1);
  state.queueFails = false;
  assert.equal((await after(HOUR_MS)).length, 1, "it is retried");
  anchor(8);
  const again = after(DAY_MS);
  const { body } = mails[0] ?? assert.fail();
  await again;
  const [line = ""] = body.split("\n").filter((one) => one.startsWith("{"));
  assert.deepEqual(JSON.parse(line), { ...readAnchors(auditAnchors).anchors.at(-2) });
});

test("a review is overdue 90 days after the last one, or after the audit's start; a signature ends that at once", async (t) => {
  const { layout, clock, audit } = scene(t);
  const settings = { "audit.review_every": 90 * DAY_MS };
  let path = `${layout.engineDb}.none`;
  const databases = { lastAudited: async (type: string) => lastAudited(path, type) };
  const watch = createAccessReviewWatch(databases, clock, () => settings);
  await assert.rejects(() => watch.look(), /engine\.db/, "there is no database yet");
  path = layout.engineDb;
  const after = async (ms: number): Promise<readonly string[]> => {
    clock.advance(ms);
    await watch.look();
    return watch.troubles().map(({ detail }) => detail);
  };
  assert.deepEqual(await after(100 * DAY_MS), [], "the audit is empty");
  audit("SETTINGS_APPLIED");
  const began = new Date(clock.now()).toISOString().slice(0, 10);
  assert.deepEqual(await after(90 * DAY_MS - HOUR_MS), []);
  assert.deepEqual(await after(HOUR_MS), [`there has been none since ${began}`]);
  audit("ACCESS_REVIEWED");
  const signed = new Date(clock.now()).toISOString().slice(0, 10);
  assert.deepEqual(await after(MINUTE_MS), []);
  audit("SETTINGS_APPLIED");
  assert.deepEqual(await after(90 * DAY_MS), [`the last review is from ${signed}`]);
  settings["audit.review_every"] = 0;
  assert.deepEqual(watch.troubles(), []);
});
