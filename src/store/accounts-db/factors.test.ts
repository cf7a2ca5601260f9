import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { START, scratch } from "../../../test/kit/test-database.ts";
import { parseIp } from "../../core/net/ip.ts";
import { openAccounts } from "../open.ts";
import { SqliteFactors } from "./factors.ts";
import { SqliteSessions } from "./sessions.ts";

const SECRET = Buffer.from("12345678901234567890");
const TOTP = { secret: SECRET, lastStep: 7, at: START, recovery: ["a", "b"] };

function fresh(t: TestContext) {
  const path = join(scratch(t), "accounts.db");
  const db = openAccounts(path);
  t.after(() => db.close());
  return { path, db, factors: new SqliteFactors(db) };
}

test("a step is used once, and the next connection, which is what a restart opens, knows it", (t) => {
  const { path, factors } = fresh(t);
  assert.equal(factors.totp(), null);
  factors.setTotp(TOTP);
  assert.ok(factors.useStep(9, 7));
  assert.ok(!factors.useStep(9, 7), "two at a time: the second finds another one before it");
  const again = openAccounts(path);
  t.after(() => again.close());
  const { secret, lastStep } = new SqliteFactors(again).totp() ?? assert.fail();
  assert.deepEqual([Buffer.from(secret), lastStep], [SECRET, 9]);
});

test("a recovery code is used once, and new ones end the former", (t) => {
  const { factors } = fresh(t);
  factors.setTotp(TOTP);
  assert.deepEqual([factors.useRecovery("a", START), factors.useRecovery("a", START)], [true, false]);
  assert.ok(!factors.useRecovery("made up", START));
  assert.equal(factors.recoveryLeft(), 1);
  factors.renewRecovery(["c", "d", "e"], START);
  assert.equal(factors.recoveryLeft(), 3);
  assert.ok(!factors.useRecovery("b", START));
});

test("another app replaces the first, with its own codes; its removal removes them too", (t) => {
  const { factors } = fresh(t);
  factors.setTotp(TOTP);
  factors.setTotp({ ...TOTP, secret: Buffer.alloc(20, 1), recovery: ["c"] });
  assert.equal(factors.recoveryLeft(), 1);
  assert.equal(factors.totp()?.secret[0], 1);
  assert.deepEqual([factors.removeTotp(), factors.removeTotp()], [true, false]);
  assert.deepEqual([factors.totp(), factors.recoveryLeft()], [null, 0]);
});

test("codes that cannot be written, as on a full disk, leave the former app in force", (t) => {
  const { db, factors } = fresh(t);
  factors.setTotp(TOTP);
  db.exec("CREATE TRIGGER full BEFORE INSERT ON admin_recovery BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
  assert.throws(() => factors.setTotp({ ...TOTP, secret: Buffer.alloc(20, 1) }), /disk is full/);
  assert.equal(factors.totp()?.secret[0], SECRET[0]);
  assert.equal(factors.recoveryLeft(), 2);
});

test("a reset removes every factor, and ends the sessions that they opened", (t) => {
  const { db, factors } = fresh(t);
  factors.setTotp(TOTP);
  db.exec(`
    INSERT INTO admin_passkeys (id, public_key, algorithm, counter, name, created_at) VALUES ('k', x'00', -7, 0, 'Key', 1)`);
  const ip = parseIp("203.0.113.7") ?? assert.fail();
  new SqliteSessions(db).open({ digest: "d", id: "i", account: null, device: "Firefox on Linux", ip, at: START });
  assert.deepEqual(factors.reset(), { factors: 2, ended: 1 });
  assert.deepEqual(factors.reset(), { factors: 0, ended: 0 });
  assert.deepEqual([factors.totp(), factors.recoveryLeft()], [null, 0]);
});
