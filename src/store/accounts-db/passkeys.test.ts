import assert from "node:assert/strict";
import { test } from "node:test";
import { accountsOnMemory } from "../../../test/kit/engine-kit.ts";
import { START } from "../../../test/kit/test-database.ts";
import { later } from "../../core/time.ts";
import { LIMITS } from "../../guard/limits.ts";

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

test("no passkey and no name comes twice, and there are as many as there may be", () => {
  const { passkeys } = accountsOnMemory();
  const add = (id: string, name = id) => passkeys.add({ ...KEY, id, name, at: START });
  assert.ok(add("a").ok);
  assert.match(JSON.stringify(add("a", "other")), /there already/);
  assert.match(JSON.stringify(add("b", "a")), /named a exists/);
  for (let i = 1; i < LIMITS.passkeys; i++) assert.ok(add(`n${i}`).ok);
  assert.match(JSON.stringify(add("more")), /20 passkeys/);
});

test("one is removed by its id, once; the last one too", () => {
  const { passkeys } = accountsOnMemory();
  passkeys.add({ ...KEY, id: "a", name: "a", at: START });
  assert.ok(passkeys.remove("a"));
  assert.ok(!passkeys.remove("a"));
  assert.deepEqual(passkeys.list(), []);
});

test("the user handle is random, and stays", () => {
  const { passkeys } = accountsOnMemory();
  const handle = passkeys.userHandle(START);
  assert.match(handle, /^[\w-]{43}$/);
  assert.equal(passkeys.userHandle(later(START, 1)), handle);
  assert.notEqual(accountsOnMemory().passkeys.userHandle(START), handle);
});
