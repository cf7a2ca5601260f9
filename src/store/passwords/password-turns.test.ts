import assert from "node:assert/strict";
import { test } from "node:test";
import { accountName } from "../../../test/kit/samples.ts";
import { passwordHashOf } from "../../mail/dovecot/login-policy.ts";
import { hashPassword, verifyPassword } from "./password-hash.ts";
import { accountSecrets, PasswordTurns } from "./password-turns.ts";

test("after a wrong password the next waits for as long as the check took, after a right one it does not", async () => {
  const began: number[] = [];
  const ended: number[] = [];
  const tookMs = 40;
  const turns = new PasswordTurns(async (_, password) => {
    began.push(performance.now());
    await new Promise((resolve) => setTimeout(resolve, tookMs));
    ended.push(performance.now());
    return password === "right";
  });
  let answeredAt = 0;
  const wrong = turns.verify("", "wrong").finally(() => (answeredAt = performance.now()));
  const answered = await Promise.all([wrong, turns.verify("", "right"), turns.verify("", "right")]);
  assert.deepEqual(answered, [false, true, true]);
  const [first = 0, second = 0, third = 0] = began;
  assert.ok(second - first >= 2 * tookMs - 5, `${second - first} ms`);
  assert.ok(answeredAt < second, "a wrong password is answered before the pause");
  assert.ok(third - (ended[1] ?? 0) < tookMs / 2, `${third - (ended[1] ?? 0)} ms`);
});

test("no password matches the decoy, and a check costs as much as with a real hash", async () => {
  const turns = new PasswordTurns();
  assert.match(turns.decoy, /^\{ARGON2ID\}\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(turns.decoy.length, (await hashPassword("x")).length);
  for (const password of ["", turns.decoy]) assert.equal(await turns.verify(turns.decoy, password), false);
});

test("at most one password is verified at a time, however many wait, and the next follows one that failed", async () => {
  let now = 0;
  let most = 0;
  let count = 0;
  const turns = new PasswordTurns(async (hash, password) => {
    most = Math.max(most, ++now);
    const isRight = await verifyPassword(hash, password);
    now--;
    if (++count === 3) throw new Error("no memory");
    return isRight;
  });
  const hash = await hashPassword("right");
  const all = await Promise.allSettled(Array.from({ length: 6 }, () => turns.verify(hash, "right")));
  assert.equal(most, 1);
  const verified = all.map(({ status }) => status === "fulfilled");
  assert.deepEqual(verified, [true, true, false, true, true, true]);
});

test("hashes of new passwords take one turn between two verifications, and a failed turn does not stop the others", async () => {
  const turns = new PasswordTurns();
  const hash = await hashPassword("right");
  const finished: string[] = [];
  const note = async (what: string, done: Promise<unknown>): Promise<void> => {
    await done;
    finished.push(what);
  };
  const hashes = turns.hashAll(["one", "two"]);
  await Promise.all([
    note("hashed", hashes),
    note("verified", turns.verify(hash, "right")),
    note("hashed again", turns.hashAll(["three"])),
  ]);
  assert.deepEqual(finished, ["hashed", "verified", "hashed again"]);
  const [one = "", two = ""] = await hashes;
  assert.deepEqual([await verifyPassword(one, "one"), await verifyPassword(two, "one")], [true, false]);
  assert.deepEqual(await turns.hashAll([]), []);
});

test("each password gets a hash that matches only it, and the short hash that Dovecot will send", async () => {
  const owners = ["anna@example.test", "bert@example.test"].map(accountName);
  const asked = owners.map((owner, i) => ({ owner, password: `password of ${i}` }));
  const made = await accountSecrets(new PasswordTurns(), "secret").make(asked);
  assert.equal(made.length, 2);
  for (const [i, { hash, passwordHash }] of made.entries()) {
    for (const [j, { password }] of asked.entries()) assert.equal(await verifyPassword(hash, password), i === j);
    assert.equal(passwordHash, passwordHashOf("secret", owners[i] ?? "", `password of ${i}`));
  }
});
