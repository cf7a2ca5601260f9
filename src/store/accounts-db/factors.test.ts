import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { accountsOnMemory } from "../../../test/kit/engine-kit.ts";
import { accountsFor, START } from "../../../test/kit/test-database.ts";
import { later } from "../../core/time.ts";
import { LIMITS } from "../../guard/limits.ts";
import { sqliteFactors } from "./factors.ts";

const SECRET = Buffer.from("12345678901234567890");
const TOTP = { secret: SECRET, lastStep: 7, at: START, recovery: ["a", "b"] };

function fresh(t: TestContext) {
  const db = accountsFor(t);
  return { db, factors: sqliteFactors(db) };
}

test("a recovery code works once, and new codes replace the old ones", (t) => {
  const { factors } = fresh(t);
  factors.setTotp(TOTP);
  assert.deepEqual([factors.useRecovery("a", START), factors.useRecovery("a", START)], [true, false]);
  assert.ok(!factors.useRecovery("made up", START));
  assert.equal(factors.recoveryLeft(), 1);
  factors.renewRecovery(["c", "d", "e"], START);
  assert.equal(factors.recoveryLeft(), 3);
  assert.ok(!factors.useRecovery("b", START));
});

test("a second app replaces the first and its codes; removing it removes its codes too", (t) => {
  const { factors } = fresh(t);
  factors.setTotp(TOTP);
  factors.setTotp({ ...TOTP, secret: Buffer.alloc(20, 1), recovery: ["c"] });
  assert.equal(factors.recoveryLeft(), 1);
  assert.equal(factors.totp()?.secret[0], 1);
  assert.deepEqual([factors.removeTotp(), factors.removeTotp()], [true, false]);
  assert.deepEqual([factors.totp(), factors.recoveryLeft()], [null, 0]);
});

test("if codes cannot be written, as on a full disk, the previous app stays in force", (t) => {
  const { db, factors } = fresh(t);
  factors.setTotp(TOTP);
  db.exec("CREATE TRIGGER full BEFORE INSERT ON admin_recovery BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
  assert.throws(() => factors.setTotp({ ...TOTP, secret: Buffer.alloc(20, 1) }), /disk is full/);
  assert.equal(factors.totp()?.secret[0], SECRET[0]);
  assert.equal(factors.recoveryLeft(), 2);
});

const KEY = { publicKey: Buffer.from("key"), algorithm: -7, counter: 3 } as const;

test("passkeys are read back unchanged, oldest first, with their last use", () => {
  const { passkeys } = accountsOnMemory();
  const one = { ...KEY, id: "b", name: "Laptop" };
  assert.deepEqual(passkeys.add({ ...one, at: START }), { ok: true });
  assert.deepEqual(passkeys.add({ ...KEY, id: "a", name: "Phone", at: later(START, 1) }), { ok: true });
  passkeys.used("b", 4, later(START, 2));
  const [first, second] = passkeys.list();
  assert.deepEqual(first, { ...one, counter: 4, createdAt: START, usedAt: later(START, 2) });
  assert.deepEqual([second?.id, second?.usedAt], ["a", null]);
});

test("passkeys and their names are unique, and their number is limited", () => {
  const { passkeys } = accountsOnMemory();
  const add = (id: string, name = id) => passkeys.add({ ...KEY, id, name, at: START });
  assert.ok(add("a").ok);
  assert.match(JSON.stringify(add("a", "other")), /already registered/);
  assert.match(JSON.stringify(add("b", "a")), /named a exists/);
  for (let i = 1; i < LIMITS.passkeys; i++) assert.ok(add(`n${i}`).ok);
  assert.match(JSON.stringify(add("more")), /20 passkeys/);
});

test("the user handle is random and never changes", () => {
  const { passkeys } = accountsOnMemory();
  const handle = passkeys.userHandle(START);
  assert.match(handle, /^[\w-]{43}$/);
  assert.equal(passkeys.userHandle(later(START, 1)), handle);
  assert.notEqual(accountsOnMemory().passkeys.userHandle(START), handle);
});
