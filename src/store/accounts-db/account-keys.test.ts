// Invariant: A key never keeps its user from signing in: it is stored with the hash of the password that opens it, in one transaction.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { accountsFor, ann, bob, bySqlite3, refused, START, scalarOf } from "../../../test/kit/test-database.ts";
import { KEYS_OF_AN_ACCOUNT } from "../../admin/declare/account-key.ts";
import { countKeys, readKeys } from "./account-keys.ts";
import { sqliteAccounts } from "./accounts.ts";

const [ONE, TWO] = ["{ARGON2ID}one", "{ARGON2ID}two"];
const key = (id: string, locked = `locked ${id}`) => ({ id, publicKey: `public ${id}`, locked, recoverable: id });

function fresh(t: TestContext) {
  const db = accountsFor(t);
  const keysOf = (): string =>
    bySqlite3(db, "SELECT coalesce(key1, '-'), coalesce(key2, '-') FROM opened_key WHERE user = 'ANN@example.org'");
  const encrypts = (): string => bySqlite3(db, "SELECT public_key FROM encrypting_key WHERE user = 'Ann@example.org'");
  return { db, accounts: sqliteAccounts(db), keysOf, encrypts };
}

test("Dovecot finds the keys that the current password opens, and encrypts with the newest", (t) => {
  const { db, accounts, keysOf, encrypts } = fresh(t);
  accounts.add(ann, ONE, START, [key("a")]);
  accounts.add(bob, ONE, START);
  assert.deepEqual([keysOf(), encrypts()], ["locked a|-", "public a"]);
  assert.deepEqual(countKeys(db, 10), { own: 1, without: [bob], ofFile: 0, closed: [] });
  db.exec(`UPDATE account SET followed = 'listed' WHERE name = '${bob}'`);
  assert.deepEqual(countKeys(db, 10), { own: 1, without: [], ofFile: 1, closed: [] });
  accounts.setPassword(ann, TWO, [key("b")]);
  assert.deepEqual(countKeys(db, 10).closed, [ann]);
  assert.deepEqual([keysOf(), encrypts()], ["locked b|-", "public b"]);
  const read = readKeys(db, ann).map(({ id, isOpen }) => `${id} ${isOpen}`);
  assert.deepEqual(read, ["b true", "a false"]);
  accounts.setPassword(ann, ONE, [key("b", "b again"), key("a", "a again")]);
  assert.deepEqual([keysOf(), encrypts()], ["b again|a again", "public b"], "a key keeps its place");
});

test("a password that was set without a key finds no key that it cannot open", (t) => {
  const { db, accounts, keysOf, encrypts } = fresh(t);
  accounts.add(ann, ONE, START, [key("a")]);
  accounts.setPassword(ann, TWO);
  assert.deepEqual([keysOf(), encrypts()], ["-|-", ""]);
  assert.deepEqual(countKeys(db, 10), { own: 0, without: [ann], ofFile: 0, closed: [ann] });
});

test("keys are opened again only for the current password", (t) => {
  const { accounts, keysOf } = fresh(t);
  accounts.add(ann, ONE, START, [key("a")]);
  accounts.setPassword(ann, TWO, [key("b")]);
  const opened = accounts.openKeys(ann, ONE, [key("a", "a again")]);
  assert.deepEqual(opened, refused(`${ann} has a new password by now, or was removed.`));
  assert.equal(accounts.openKeys(bob, ONE, [key("a")]).ok, false);
  assert.equal(keysOf(), "locked b|-");
  assert.ok(accounts.openKeys(ann, TWO, [key("b"), key("a", "a again")]).ok);
  assert.equal(keysOf(), "locked b|a again");
});

test("keys outlive their account, but the next account of that name does not get them", (t) => {
  const { db, accounts, keysOf } = fresh(t);
  accounts.add(ann, ONE, START, [key("a")]);
  accounts.remove(ann);
  assert.deepEqual([keysOf(), readKeys(db, ann).map(({ isOpen }) => isOpen)], ["", [false]]);
  accounts.add(ann, TWO, START, [key("b")]);
  assert.equal(keysOf(), "locked b|-");
  assert.equal(readKeys(db, ann).length, 2);
});

test("a refused change stores no key", (t) => {
  const { db, accounts } = fresh(t);
  accounts.add(ann, ONE, START);
  assert.equal(accounts.add(ann, TWO, START, [key("a")]).ok, false);
  assert.equal(accounts.setPassword(bob, TWO, [key("a")]).ok, false);
  assert.deepEqual([readKeys(db, ann), readKeys(db, bob)], [[], []]);
});

test("the view has as many keys as Dovecot's configuration asks for", (t) => {
  const { db } = fresh(t);
  assert.equal(scalarOf(db, "SELECT count(*) FROM pragma_table_info('opened_key')"), 1 + KEYS_OF_AN_ACCOUNT);
});
