// Invariant: An app password only reads and sends, and any new password of its account removes it.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { accountName, net } from "../../../test/kit/samples.ts";
import { ann, bob, columnOf, HASH, refused, START, twoAccounts } from "../../../test/kit/test-database.ts";
import { MOST_APP_PASSWORDS } from "../../admin/mailboxes.ts";
import { isoTime, later, MINUTE_MS } from "../../core/time.ts";
import { NETWORKS } from "./account-networks.ts";
import { APP_PASSWORDS } from "./app-passwords.ts";
import { NotedUses } from "./credentials.ts";
import { sqliteFileAccounts } from "./file-accounts.ts";
import { readMailboxSettings } from "./setting-tables.ts";

function fresh(t: TestContext) {
  const { db, accounts } = twoAccounts(t);
  const uses = new NotedUses();
  const apps = APP_PASSWORDS.store(db, uses);
  let n = 0;
  return {
    db,
    accounts,
    uses,
    apps,
    files: sqliteFileAccounts(db),
    make: (name: string, account = ann) => {
      n += 1;
      const digest = n.toString(16).padStart(64, "0");
      return apps.addAppPassword({ account, name, digest, passwordHash: `0${n}`, by: "root", at: later(START, n) });
    },
    names: (account: string = ann) => readMailboxSettings(db, account).appPasswords.map(({ name }) => name),
    /** The passwords that Dovecot finds. */
    found: () => columnOf(db, "SELECT user || ' ' || app || ifnull(' ' || allow_nets, '') FROM app_passdb ORDER BY 1"),
  };
}

test("an app password is unique in its account, works where the account may sign in, and is gone once removed", (t) => {
  const { db, accounts, apps, make, names, found } = fresh(t);
  assert.deepEqual(make("phone"), { ok: true });
  assert.deepEqual(make("laptop"), { ok: true });
  assert.deepEqual(make("phone", bob), { ok: true });
  assert.deepEqual(make("Phone"), refused("ann@example.org has an app password named Phone already."));
  assert.deepEqual(found(), ["ann@example.org laptop", "ann@example.org phone", "bob@example.org phone"]);
  accounts.setSuspended(ann, true);
  NETWORKS.store(db).addNetworks(bob, [net("203.0.113.0/24")]);
  assert.deepEqual(found(), ["bob@example.org phone 203.0.113.0/24"]);
  assert.deepEqual(apps.removeAppPassword(ann, "PHONE"), { ok: true });
  assert.equal(apps.removeAppPassword(ann, "phone").ok, false);
  assert.deepEqual([names(), names(bob), names("Ann@Example.org")], [["laptop"], ["phone"], ["laptop"]]);
  assert.equal(make("phone", accountName("nobody@example.org")).ok, false);
});

test("the number of app passwords is limited", (t) => {
  const { make } = fresh(t);
  for (let n = 0; n < MOST_APP_PASSWORDS; n++) assert.ok(make(`phone ${n}`).ok);
  const more = make("one more");
  assert.ok(!more.ok && /the maximum: remove one/.test(more.reason));
  assert.ok(make("one more", bob).ok);
});

test("a new password, by command or accounts file, removes app passwords; an unchanged one in the file does not", (t) => {
  const { accounts, files, make, names } = fresh(t);
  make("phone");
  make("phone", bob);
  accounts.setPassword(ann, `${HASH}y`);
  assert.deepEqual([names(), names(bob)], [[], ["phone"]]);
  const dora = accountName("dora@example.org");
  files.follow([{ name: dora, hash: HASH }], [], START);
  make("phone", dora);
  files.follow([{ name: dora, hash: HASH, quotaBytes: 1 }], [], START);
  assert.deepEqual(names(dora), ["phone"]);
  files.follow([{ name: dora, hash: `${HASH}y` }], [], START);
  assert.deepEqual(names(dora), []);
});

test("the last use is noted to the minute and does not count as a change of the accounts; the guard reads the latest used", (t) => {
  const { db, apps, uses, make } = fresh(t);
  for (let n = 1; n <= 6; n++) make(`phone ${n}`);
  const before = uses.changes(db);
  apps.used("ANN@example.org", "phone 1", later(START, MINUTE_MS));
  apps.used(ann, "phone 1", later(START, MINUTE_MS + 1));
  apps.used(ann, "none", later(START, MINUTE_MS));
  assert.equal(uses.changes(db), before);
  const reported = readMailboxSettings(db, ann).appPasswords;
  const made = { name: "phone 1", madeAt: isoTime(later(START, 1)), madeBy: "root" };
  assert.deepEqual(reported[0], { ...made, usedAt: isoTime(later(START, MINUTE_MS)) });
  assert.equal(reported[1]?.usedAt, null);
  assert.deepEqual(apps.passwordHashesOf(ann), ["01", "06", "05", "04"]);
  assert.deepEqual(apps.passwordHashesOf(bob), []);
});
