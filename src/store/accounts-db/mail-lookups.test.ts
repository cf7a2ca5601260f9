import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { databaseOnMemory } from "../../../test/kit/memory-database.ts";
import { accountName, mailAddress } from "../../../test/kit/samples.ts";
import { accountsFor, bySqlite3, planOf, scalarOf } from "../../../test/kit/test-database.ts";
import { DOMAIN_LEFT } from "../../mail/logs/patterns.ts";
import { TABLES } from "../../mail/postfix/main-cf.ts";
import { sqliteActiveAccounts, sqliteAliasReach, sqliteRecipients } from "./mail-lookups.ts";
import { accountsMigrations } from "./schema.ts";

test("accounts that can sign in are active, in any letter case; suspended, unlisted and unknown ones are not", () => {
  const db = databaseOnMemory(accountsMigrations);
  db.exec(`
    INSERT INTO account (name, password, suspended, followed, created_at) VALUES
      ('alice@example.org', '{ARGON2ID}x', 0, NULL, 0), ('carol@example.org', '{ARGON2ID}x', 1, NULL, 0),
      ('dave@example.org', '{ARGON2ID}x', 0, 'listed', 0), ('eve@example.org', '{ARGON2ID}x', 0, 'unlisted', 0)`);
  const accounts = sqliteActiveAccounts(db);
  for (const name of ["alice@example.org", "ALICE@Example.org", "dave@example.org"])
    assert.ok(accounts.isActive(name), name);
  for (const name of ["carol@example.org", "eve@example.org", "bob@example.org", ""])
    assert.ok(!accounts.isActive(name), name);
  const hashOf = (name: string) => accounts.storedHash(accountName(name));
  assert.equal(hashOf("Alice@example.org"), "{ARGON2ID}x");
  for (const name of ["carol@example.org", "eve@example.org", "bob@example.org"])
    assert.equal(hashOf(name), null, name);
});

test("accounts, even suspended ones, their extensions and aliases are known in any letter case; others are not", () => {
  const db = databaseOnMemory(accountsMigrations);
  db.exec(`
    INSERT INTO account (name, password, suspended, created_at) VALUES
      ('alice@example.org', '{ARGON2ID}x', 0, 0), ('carol@example.org', '{ARGON2ID}x', 1, 0);
    INSERT INTO alias (address, target) VALUES ('info@example.org', 'alice@example.org')`);
  const clock = new HandClock();
  const recipients = sqliteRecipients(db, clock);
  const alice = "alice@example.org";
  for (const address of [alice, "ALICE@Example.org", "carol@example.org", "alice+shop@example.org", "info@example.org"])
    assert.ok(recipients.exists(address), address);
  for (const address of ["bob@example.org", "alice@other.org", "+alice@example.org", "alice", ""])
    assert.ok(!recipients.exists(address), address);
  db.exec("DELETE FROM account");
  clock.advance(1_000);
  assert.ok(!recipients.exists(alice), "a removed account is forgotten within a second");
});

test("mail for a domain removed from the settings is deferred while the domain has accounts or aliases", () => {
  const db = databaseOnMemory(accountsMigrations);
  const answers = (domain: string): readonly unknown[] =>
    [TABLES.left_domain, TABLES.left_loop].map(({ query }) =>
      scalarOf(db, query.replaceAll(/%[ds]/g, domain).replace("OURS", "'example.org'")),
    );
  db.exec(`
    INSERT INTO alias (address, target) VALUES ('info@example.com', 'anna@example.net');
    INSERT INTO account (name, password, suspended, created_at) VALUES
      ('alice@example.org', '{ARGON2ID}x', 0, 0), ('Bob@Example.net', '{ARGON2ID}x', 0, 0)`);
  for (const left of ["example.net", "example.com"])
    assert.deepEqual(answers(left), [`450 4.3.0 ${DOMAIN_LEFT}`, `4.4.6 mail for ${left} loops back to myself`]);
  for (const other of ["example.org", "mail.example.org", "elsewhere.test", "le.net"])
    assert.deepEqual(answers(other), [undefined, undefined], other);
});

test("Postfix rejects no recipient permanently while there is neither an account nor an alias", () => {
  const db = databaseOnMemory(accountsMigrations);
  const replies = (): readonly unknown[] => db.prepare(TABLES.no_mailbox.query).all();
  assert.match(JSON.stringify(replies()), /:"450 /);
  db.exec("INSERT INTO alias (address, target) VALUES ('info@example.org', 'anna@example.net')");
  assert.deepEqual(replies(), []);
  db.exec(`
    DELETE FROM alias;
    INSERT INTO account (name, password, suspended, created_at) VALUES ('alice@example.org', '{ARGON2ID}x', 1, 0)`);
  assert.deepEqual(replies(), []);
});

/** Each alias is given with its target. */
function reachOf(address: string, ...aliases: readonly string[]): string {
  const db = databaseOnMemory(accountsMigrations);
  const add = db.prepare("INSERT INTO alias (address, target) VALUES (?, ?)");
  for (const one of aliases) add.run(...one.split(" ").map((name) => `${name}@example.test`));
  const { alias, addresses } = sqliteAliasReach(db).widest(mailAddress(`${address}@example.test`));
  return `${alias.split("@")[0]} ${addresses}`;
}

test("an alias reaches what its targets reach, once for each mention", () => {
  assert.equal(reachOf("anna"), "anna 1");
  const team = ["team anna", "team bert"];
  assert.equal(reachOf("team", ...team), "team 2");
  assert.equal(reachOf("all", ...team, "all Team", "all anna"), "all 3");
});

test("of the addresses that lead to one, the widest counts, and a loop ends", () => {
  assert.equal(reachOf("team", "team anna", "all team", "all bert", "all cleo"), "all 3");
  assert.equal(reachOf("a", "a b", "b a"), "a 1");
});

test("mail is sent on to each target, and to the mailbox of an address with an extension", () => {
  const db = databaseOnMemory(accountsMigrations);
  db.exec(
    `INSERT INTO alias VALUES ('info@example.test', 'Anna+shop@example.test'), ('anna@example.test', 'x@else.example')`,
  );
  const reached = sqliteAliasReach(db).onward("info@example.test");
  assert.deepEqual(reached, ["info@example.test", "anna+shop@example.test", "anna@example.test", "x@else.example"]);
});

test("mail of an account to itself reaches its forward's targets, even through an alias or with an extension", () => {
  const db = databaseOnMemory(accountsMigrations);
  const reach = sqliteAliasReach(db);
  const reachedBy = (account: string, recipient: string) => reach.reachedBy(account, recipient).toSorted();
  const [ann, bob] = ["ann@example.test", "bob@example.test"];
  db.exec(`
    INSERT INTO served VALUES ('example.test');
    INSERT INTO account (name, password, suspended, created_at) VALUES ('${ann}', '{ARGON2ID}x', 0, 0);
    INSERT INTO administrator VALUES ('ann+alerts@example.test');
    INSERT INTO alias VALUES ('info@example.test', '${ann}')`);
  assert.deepEqual(reachedBy(ann, ann), []);
  db.exec(`
    INSERT INTO forward VALUES ('${ann}', '${ann}'), ('${ann}', '${bob}'), ('${ann}', 'Ann+x@else.example'),
      ('${bob}', 'bob@else.example')`);
  const reached = ["ann+x@else.example", ann, "bob@else.example", bob];
  for (const recipient of [ann, "Ann+shop@example.test", "info@example.test", "postmaster@example.test"])
    assert.deepEqual(reachedBy("Ann@example.test", recipient), reached, recipient);
  assert.deepEqual(reachedBy(ann, bob), [], "that is bob's forward");
});

test("each step of the search uses an index, because it runs in the guard's own thread", () => {
  const db = databaseOnMemory(accountsMigrations);
  for (const column of ["address", "target"]) {
    const steps = planOf(db, `SELECT address FROM onward WHERE ${column} = ?`).join("\n");
    for (const table of ["alias", "forward"]) assert.match(steps, new RegExp(`^SEARCH ${table} USING`, "m"), column);
  }
});

test("the logins that may send as an address are found without a scan of all aliases", (t) => {
  const db = accountsFor(t);
  for (const { query } of [TABLES.senders, TABLES.lanes]) {
    const sql = query.replace("%%", "%").replace("%s", "info@example.org");
    for (const plan of [planOf(db, sql).join("\n"), bySqlite3(db, `EXPLAIN QUERY PLAN ${sql}`)]) {
      assert.match(plan, /SEARCH alias USING PRIMARY KEY \(address=\?\)/);
      assert.doesNotMatch(plan, /SCAN alias\b/);
    }
  }
});
