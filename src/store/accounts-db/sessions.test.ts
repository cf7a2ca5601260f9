import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { accountName, ip } from "../../../test/kit/samples.ts";
import { accountsFor, columnOf, START, scalarOf } from "../../../test/kit/test-database.ts";
import { SESSION_AGE_MS, SESSION_AHEAD_MS, SESSION_IDLE_MS } from "../../core/access/session.ts";
import { type AccountName } from "../../core/net/address.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS, type Millis } from "../../core/time.ts";
import { LIMITS } from "../../guard/limits.ts";
import { sqliteAccounts } from "./accounts.ts";
import { sqliteCredentials } from "./credentials.ts";
import { sqliteFileAccounts } from "./file-accounts.ts";
import { sqliteSessionPages, sqliteSessions } from "./sessions.ts";

const ANNA = accountName("anna@example.org");
const BERT = accountName("bert@example.org");
const FROM = { device: "Firefox on Linux", ip: ip("203.0.113.7") };

function fresh(t: TestContext) {
  const db = accountsFor(t);
  const sessions = sqliteSessions(db);
  const open = (name: string, at: Millis = START, account: AccountName | null = null): void =>
    sessions.open({ ...FROM, digest: `digest of ${name}`, id: name, account, at });
  const isIn = (name: string, now: Millis, isUse = true): boolean =>
    sessions.find(`digest of ${name}`, now, isUse) !== null;
  const names = (now: Millis, account: AccountName | null = null): readonly string[] =>
    sessions.list(account, now).map(({ id }) => id);
  return { db, sessions, open, isIn, names };
}

test("a session ends twelve hours after its last use, which a check does not extend, or seven days after its start", (t) => {
  const { db, open, isIn } = fresh(t);
  assert.ok(!isIn("made up", START));
  open("a");
  for (const isUse of [false, true]) {
    assert.ok(isIn("a", later(START, SESSION_IDLE_MS - 1), isUse));
    assert.equal(isIn("a", later(START, SESSION_IDLE_MS), false), isUse, "only a use prolongs it");
  }
  const now = later(START, 168 * HOUR_MS);
  for (const [startedAgoMs, usedAgoMs, valid] of [
    [167 * HOUR_MS, 12 * HOUR_MS - 1, true],
    [167 * HOUR_MS, 12 * HOUR_MS, false],
    [168 * HOUR_MS - 1, 0, true],
    [168 * HOUR_MS, 0, false],
    [0, -HOUR_MS, true],
    [0, -HOUR_MS - 1, false],
  ] as const) {
    db.prepare("UPDATE session SET started_at = ?, used_at = ?").run(later(now, -startedAgoMs), later(now, -usedAgoMs));
    assert.equal(isIn("a", now, false), valid, `started ${startedAgoMs} ms ago, used ${usedAgoMs} ms ago`);
  }
});

test("a session that started while the clock was far ahead ends when the clock is corrected, and leaves no row", (t) => {
  const { db, open, isIn, names } = fresh(t);
  open("far ahead", later(START, 3 * 365 * DAY_MS));
  assert.ok(!isIn("far ahead", START));
  assert.deepEqual(names(START), []);
  open("a little ahead", later(START, HOUR_MS));
  assert.ok(isIn("a little ahead", START));
  open("now");
  assert.equal(scalarOf(db, "SELECT count(*) FROM session"), 2);
});

test("the sessions of all mailboxes end together while the administrator's stay, or everybody's end", (t) => {
  const { open, names, sessions } = fresh(t);
  open("owner");
  open("a", START, ANNA);
  open("b", START, BERT);
  assert.equal(sessions.end("mailboxes"), 2);
  assert.deepEqual([names(START), names(START, ANNA), names(START, BERT)], [["owner"], [], []]);
  open("a", START, ANNA);
  assert.equal(sessions.end("everybody"), 2);
});

test("a use is written once a minute", (t) => {
  const { db, open, isIn } = fresh(t);
  open("a");
  const changes = () => scalarOf(db, "SELECT total_changes()");
  const before = Number(changes());
  for (let i = 0; i < 59; i++) isIn("a", later(START, i * 1_000));
  assert.equal(changes(), before);
  isIn("a", later(START, MINUTE_MS));
  assert.equal(changes(), before + 1);
});

test("the list starts with the latest use and skips ended sessions", (t) => {
  const { open, isIn, names, sessions } = fresh(t);
  open("a");
  open("b", later(START, 1));
  assert.deepEqual(names(START), ["b", "a"]);
  isIn("a", later(START, MINUTE_MS));
  assert.deepEqual(names(START), ["a", "b"]);
  const at = "2026-11-20T06:00:00.001Z";
  assert.deepEqual(sessions.list(null, START)[1], { ...FROM, id: "b", startedAt: at, usedAt: at });
  assert.deepEqual(names(later(START, SESSION_IDLE_MS + 1)), ["a"]);
});

test("the least recently used session makes room, and ended ones go first", (t) => {
  const { db, open, isIn, names } = fresh(t);
  for (let i = 0; i < LIMITS.dashboardSessions; i++) open(`${i}`, later(START, i));
  isIn("0", later(START, MINUTE_MS));
  open("next", later(START, MINUTE_MS));
  assert.equal(names(START).length, 256);
  assert.deepEqual([isIn("0", START), isIn("1", START), isIn("2", START)], [true, false, true]);
  open("much later", later(START, SESSION_AGE_MS));
  assert.deepEqual(columnOf(db, "SELECT id FROM session"), ["much later"]);
});

test("a session that cannot be written, as on a full disk, ends no other", (t) => {
  const { db, open, names } = fresh(t);
  for (let i = 0; i < LIMITS.dashboardSessions; i++) open(`${i}`, later(START, i));
  db.exec("CREATE TRIGGER full BEFORE INSERT ON session BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
  assert.throws(() => open("next", later(START, MINUTE_MS)), /disk is full/);
  assert.equal(names(START).length, LIMITS.dashboardSessions);
  assert.ok(names(START).includes("0"));
});

test("a password check is noted, and a new password ends every session", (t) => {
  const { db, open, names, sessions } = fresh(t);
  open("a");
  sessions.prove("digest of a", later(START, 5));
  assert.equal(sessions.find("digest of a", START, true)?.provedAt, later(START, 5));
  open("of a user", START, ANNA);
  sqliteCredentials(db, { now: () => START }).setAdminPassword("{ARGON2ID}two");
  assert.deepEqual(names(START), []);
  assert.deepEqual(names(START, ANNA), ["of a user"], "it was opened with another password");
});

test("a mailbox's sessions end, and no others, when its password changes, it may not sign in, or it is removed", (t) => {
  const { db, open, names, sessions } = fresh(t);
  const accounts = sqliteAccounts(db);
  const files = sqliteFileAccounts(db);
  const entry = (name: AccountName, hash: string) => ({ name, hash });
  const ended = (change: () => unknown): boolean => {
    open("hers", START, ANNA);
    open("his", START, BERT);
    open("the administrator's");
    change();
    assert.deepEqual([names(START, BERT), names(START)], [["his"], ["the administrator's"]]);
    const hasEnded = names(START, ANNA).length === 0;
    sessions.end("everybody");
    return hasEnded;
  };
  for (const name of [ANNA, BERT]) accounts.add(name, "{ARGON2ID}one", START);
  assert.ok(!ended(() => accounts.setQuota(ANNA, 5)), "a new quota ends nothing");
  assert.ok(ended(() => accounts.setPassword(ANNA, "{ARGON2ID}two")));
  assert.ok(ended(() => accounts.setSuspended(ANNA, true)));
  assert.ok(!ended(() => accounts.setSuspended(ANNA, false)));
  assert.ok(ended(() => accounts.remove(ANNA)));
  files.follow([entry(ANNA, "{ARGON2ID}three")], [], START);
  assert.ok(!ended(() => files.follow([entry(ANNA, "{ARGON2ID}three")], [], START)));
  assert.ok(ended(() => files.follow([entry(ANNA, "{ARGON2ID}four")], [], START)));
  assert.ok(ended(() => files.follow([], [ANNA], START)));
});

test("a user's new session ends only that user's sessions to make room", (t) => {
  const { open, names } = fresh(t);
  open("the administrator's");
  open("his", START, BERT);
  for (let i = 0; i < LIMITS.mailboxSessions; i++) open(`${i}`, later(START, i), ANNA);
  open("next", later(START, MINUTE_MS), ANNA);
  assert.equal(names(START, ANNA).length, 16);
  assert.ok(!names(START, ANNA).includes("0"));
  assert.deepEqual([names(START, BERT), names(START)], [["his"], ["the administrator's"]]);
});

test("all sessions are listed by page: the administrator's first, then newest first, without ended ones", (t) => {
  const { db, open, names } = fresh(t);
  const signedIn = sqliteSessionPages(db);
  const minute = (n: number): Millis => later(START, n * MINUTE_MS);
  open("owner 1", minute(0));
  open("anna 1", minute(1), ANNA);
  open("bert", minute(2), BERT);
  open("anna 2", minute(3), ANNA);
  open("owner 2", minute(4));
  const now = later(START, 5 * MINUTE_MS);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = signedIn({ limit: 2, cursor }, now);
    assert.equal(page.total, 5);
    seen.push(...page.items.map(({ id, account }) => `${id} of ${account ?? "the administrator"}`));
    cursor = page.next;
    db.exec(`UPDATE session SET used_at = ${minute(5)} WHERE id = 'anna 1'`);
  } while (cursor !== null);
  db.exec(`UPDATE session SET used_at = ${minute(1)} WHERE id = 'anna 1'`);
  const users = ["anna 2 of anna@example.org", "bert of bert@example.org", "anna 1 of anna@example.org"];
  assert.deepEqual(seen, ["owner 2 of the administrator", "owner 1 of the administrator", ...users]);
  assert.deepEqual(signedIn({ limit: 9, cursor: "no cursor of ours" }, now).items, []);
  for (const [ms, left] of [
    [SESSION_IDLE_MS, 4],
    [SESSION_IDLE_MS + 4 * MINUTE_MS, 0],
    [SESSION_AGE_MS, 0],
    [-SESSION_AHEAD_MS, 1],
  ] as const) {
    const { items, total } = signedIn({ limit: 9, cursor: null }, later(START, ms));
    assert.deepEqual([items.length, total], [left, left]);
    const listed = [null, ANNA, BERT].flatMap((account) => names(later(START, ms), account));
    assert.equal(listed.length, left, "as each list says");
  }
});
