import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { accountName, mailAddress } from "../../../test/kit/samples.ts";
import { accountsFor, ann, bob, bySqlite3, planOf, refused, START } from "../../../test/kit/test-database.ts";
import { TABLES } from "../../mail/postfix/main-cf.ts";
import { sqliteAccountLists } from "./account-lists.ts";
import { sqliteAccounts } from "./accounts.ts";
import { sqliteSenderLogins } from "./mail-lookups.ts";

const HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA";
const DONE = { ok: true };

function fresh(t: TestContext) {
  const db = accountsFor(t);
  return { db, accounts: sqliteAccounts(db), stock: (sql: string) => bySqlite3(db, sql) };
}

const info = mailAddress("info@example.org");

test("an account is added once, changed and removed", (t) => {
  const { accounts, stock } = fresh(t);
  assert.deepEqual(accounts.add(ann, HASH, START), DONE);
  assert.deepEqual(accounts.add(ann, HASH, START), refused("The account ann@example.org exists already."));
  assert.equal(stock("SELECT * FROM passdb"), `ann@example.org|${HASH}|`);
  assert.deepEqual(accounts.setPassword(ann, "{BLF-CRYPT}$2y$05$x"), DONE);
  assert.equal(stock("SELECT password FROM passdb WHERE user = 'ANN@example.org'"), "{BLF-CRYPT}$2y$05$x");
  assert.deepEqual(accounts.remove(ann), DONE);
  assert.equal(stock("SELECT count(*) FROM userdb"), "0");
  const unknown = refused("There is no account ann@example.org.");
  assert.deepEqual(accounts.remove(ann), unknown);
  assert.deepEqual(accounts.setPassword(ann, HASH), unknown);
  assert.deepEqual(accounts.setSuspended(ann, true), unknown);
});

test("a suspended account cannot sign in but keeps receiving", (t) => {
  const { accounts, stock } = fresh(t);
  accounts.add(ann, HASH, START);
  assert.deepEqual(accounts.setSuspended(ann, true), DONE);
  assert.deepEqual(accounts.setSuspended(ann, true), DONE, "twice is the same");
  assert.equal(stock("SELECT count(*) FROM passdb"), "0");
  assert.equal(stock("SELECT address FROM mailbox WHERE address = 'Ann@Example.org'"), "ann@example.org");
  assert.equal(stock("SELECT user FROM userdb"), "ann@example.org");
  accounts.setSuspended(ann, false);
  assert.equal(stock("SELECT count(*) FROM passdb"), "1");
});

test("an account may have its own quota, which Dovecot also reads for an alias that leads only to it", (t) => {
  const { accounts, stock } = fresh(t);
  accounts.add(ann, HASH, START);
  accounts.add(bob, HASH, START);
  accounts.addAlias(info, [ann, bob]);
  accounts.addAlias(mailAddress("me@example.org"), [mailAddress("Ann@example.org")]);
  assert.equal(stock("SELECT user, quota_rule FROM userdb"), "ann@example.org|\nbob@example.org|");
  assert.deepEqual(accounts.setQuota(ann, 20_000), DONE);
  assert.deepEqual(accounts.setQuota(bob, 0), DONE);
  const rules = "ann@example.org|*:bytes=20000:messages=2\nbob@example.org|*:bytes=0:messages=0";
  assert.equal(stock("SELECT user, quota_rule FROM userdb"), rules);
  assert.equal(stock("SELECT * FROM alias_userdb"), "me@example.org|ann@example.org|*:bytes=20000:messages=2");
  assert.deepEqual(accounts.setQuota(ann, null), DONE);
  assert.equal(stock("SELECT quota_rule FROM userdb WHERE user = 'Ann@example.org'"), "");
  const missing = accounts.setQuota(accountName("info@example.org"), 1);
  assert.deepEqual(missing, refused("There is no account info@example.org."));
});

test("an alias delivers to its targets, and those that are accounts may send as it", (t) => {
  const { accounts, db, stock } = fresh(t);
  accounts.add(ann, HASH, START);
  accounts.add(bob, HASH, START);
  assert.ok(accounts.addAlias(info, [ann, bob, mailAddress("carol@example.net")]).ok);
  const targets = "ann@example.org,bob@example.org,carol@example.net";
  assert.equal(stock("SELECT targets FROM alias_map WHERE address = 'Info@example.org'"), targets);
  const loginsOf = (of: string): string => stock(TABLES.senders.query.replace("%s", of));
  assert.equal(loginsOf("info@example.org"), "ann@example.org,bob@example.org");
  assert.equal(loginsOf("INFO@example.org"), "ann@example.org,bob@example.org");
  assert.equal(loginsOf("ann@example.org"), "ann@example.org");
  assert.equal(loginsOf("carol@example.net"), "");
  accounts.addAlias(mailAddress("me@example.org"), [ann]);
  assert.deepEqual(
    accounts.sendersOf(ann, 9),
    ["ann@example.org", "me@example.org"],
    "not addresses that others send as too",
  );
  assert.deepEqual(accounts.sendersOf(ann, 1), ["ann@example.org"]);
  const senders = ["ann@example.org", "info@example.org", "me@example.org"];
  assert.deepEqual(sqliteAccountLists(db).sendersOf(ann), [], "while the domain is not served");
  db.exec("INSERT INTO served VALUES ('Example.org'); INSERT INTO refused_role VALUES ('postmaster'), ('abuse')");
  assert.deepEqual(sqliteAccountLists(db).sendersOf("Ann@example.org"), senders);
  const logins = ["ann@example.org", "bob@example.org", "ann@example.org,bob@example.org", "ann@example.org"];
  const all = sqliteSenderLogins(db).all();
  const found = all.map((row) => row.logins);
  assert.deepEqual(found, logins);
  accounts.removeAlias(mailAddress("me@example.org"));

  assert.deepEqual(accounts.setAliasBlocked(info, true), DONE);
  assert.equal(stock("SELECT count(*) FROM alias_map"), "0");
  assert.equal(loginsOf("info@example.org"), "");
  assert.deepEqual(accounts.setAliasBlocked(info, false), DONE);
  assert.equal(stock("SELECT count(*) FROM alias_map"), "1");

  assert.deepEqual(accounts.remove(bob), DONE);
  assert.equal(stock("SELECT targets FROM alias_map"), "ann@example.org,carol@example.net");
});

test("an alias accepts no mail for a blocked or removed alias, and none at all if it leads nowhere else", (t) => {
  const { accounts, db, stock } = fresh(t);
  db.exec("INSERT INTO served (domain) VALUES ('example.org')");
  accounts.add(ann, HASH, START);
  accounts.setSuspended(ann, true);
  const [all, first, second] = ["all", "first", "second"].map((name) => mailAddress(`${name}@example.org`));
  assert.ok(all !== undefined && first !== undefined && second !== undefined);
  accounts.addAlias(info, [mailAddress("ann+info@example.org")]);
  accounts.addAlias(first, [mailAddress("info+x@example.org")]);
  accounts.addAlias(second, [first]);
  accounts.addAlias(all, [second, mailAddress("x@example.net")]);
  accounts.addAlias(mailAddress("postmaster@example.org"), [second]);
  const reached = () =>
    stock("SELECT address, targets FROM alias_map WHERE address NOT LIKE 'abuse@%' ORDER BY address").split("\n");
  const outside = `${all}|x@example.net`;
  assert.deepEqual(reached(), [
    `${all}|${second},x@example.net`,
    `${first}|info+x@example.org`,
    `${info}|ann+info@example.org`,
    `postmaster@example.org|${second}`,
    `${second}|${first}`,
  ]);
  accounts.setAliasBlocked(info, true);
  assert.deepEqual(reached(), [outside]);
  accounts.setAliasBlocked(info, false);
  assert.equal(reached().length, 5);
  accounts.removeAlias(info);
  assert.deepEqual(reached(), [outside]);
  accounts.removeAlias(mailAddress("postmaster@example.org"));
  accounts.addAlias(info, [mailAddress("postmaster@example.org")]);
  assert.equal(reached().length, 5, "the role address leads to the first account");
});

test("an alias of a role address accepts no mail while the administrator's address accepts none", (t) => {
  const { accounts, db, stock } = fresh(t);
  db.exec("INSERT INTO served (domain) VALUES ('example.org')");
  db.exec(`INSERT INTO administrator (address) VALUES ('${info}')`);
  accounts.add(ann, HASH, START);
  accounts.addAlias(info, [ann]);
  accounts.addAlias(mailAddress("first@example.org"), [mailAddress("Postmaster@example.org")]);
  assert.equal(stock("SELECT count(*) FROM alias_map"), "4", "with abuse@ and postmaster@");
  accounts.setAliasBlocked(info, true);
  assert.equal(stock("SELECT * FROM alias_map"), "");
});

test("a search for one alias reads neither all aliases nor all forwards or accounts", (t) => {
  const { db, stock } = fresh(t);
  const query = "SELECT targets FROM alias_map WHERE address = 'a@example.org'";
  for (const steps of [planOf(db, query).join("\n"), stock(`EXPLAIN QUERY PLAN ${query}`)]) {
    const walks = /SCAN (alias|alias_block|forward|account)\b.*|.*FOR ORDER BY/g;
    const first = /^SCAN account USING (COVERING )?INDEX account_first$/;
    const others = steps.match(walks)?.filter((step) => !first.test(step));
    assert.deepEqual(others, []);
  }
});

test("aliases and accounts do not take each other's name", (t) => {
  const { accounts } = fresh(t);
  accounts.add(ann, HASH, START);
  assert.deepEqual(accounts.addAlias(ann, [bob]), refused("ann@example.org is an account already."));
  accounts.addAlias(bob, [ann]);
  assert.deepEqual(accounts.add(bob, HASH, START), refused("bob@example.org is an alias already."));
});

test("an alias is added once and removed completely, with its block", (t) => {
  const { accounts, stock } = fresh(t);
  const unknown = refused("There is no alias info@example.org.");
  assert.deepEqual(accounts.setAliasBlocked(info, true), unknown);
  assert.deepEqual(accounts.removeAlias(info), unknown);
  accounts.addAlias(info, [ann]);
  assert.equal(accounts.addAlias(info, [ann]).ok, false);
  assert.ok(accounts.addAlias(info, [ann, bob]).ok, "one target is new");
  accounts.setAliasBlocked(info, true);
  assert.deepEqual(accounts.removeAlias(info), DONE);
  accounts.addAlias(info, [ann]);
  assert.equal(stock("SELECT targets FROM alias_map"), "ann@example.org");
});
