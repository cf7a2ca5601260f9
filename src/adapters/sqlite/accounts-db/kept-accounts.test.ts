import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { restoreOld } from "../../../../test/kit/old-data.ts";
import { scratch } from "../../../../test/kit/test-database.ts";
import { openAccounts } from "../open.ts";
import { readCopiedAccounts, readKeptAccounts } from "./kept-accounts.ts";

test("accounts and aliases are told, and passwords only as far as they differ", (t) => {
  const path = join(scratch(t), "accounts.db");
  const db = openAccounts(path);
  db.exec(`
    INSERT INTO account (name, password, suspended, created_at) VALUES
      ('anna@example.test', '{ARGON2ID}one', 0, 0), ('bert@example.test', '{ARGON2ID}two', 1, 0);
    INSERT INTO alias (address, target) VALUES ('info@example.test', 'anna@example.test')`);
  const before = readKeptAccounts(path);
  assert.deepEqual(
    before.accounts.map(({ name, suspended }) => [name, suspended]),
    [
      ["anna@example.test", false],
      ["bert@example.test", true],
    ],
  );
  assert.deepEqual(before.aliases, [{ address: "info@example.test", targets: ["anna@example.test"], blocked: false }]);
  assert.doesNotMatch(JSON.stringify(before), /ARGON/);
  db.exec(`
    UPDATE account SET password = '{ARGON2ID}three' WHERE name LIKE 'anna%';
    INSERT INTO app_password (account, name, digest, proof, made_by, made_at)
      VALUES ('anna@example.test', 'phone', 'digest', '0abc', 'root', 0);
    INSERT INTO forward (account, target)
      VALUES ('anna@example.test', 'anna@example.test'), ('anna@example.test', 'x@else.test'),
        ('bert@example.test', 'x@else.test');
    INSERT INTO vacation (account, subject, text) VALUES ('anna@example.test', 'Away', 'Write to x@else.test.')`);
  const after = readKeptAccounts(path);
  const reply = (end: string, until: number | null): string => {
    db.prepare("UPDATE vacation SET text = ?, until = ?").run(`${"Away. ".repeat(40)}${end}`, until);
    return readKeptAccounts(path).accounts[0]?.reply ?? "";
  };
  assert.notEqual(reply("Write to bert@example.test.", null), reply("Write to x@else.test.", null));
  assert.match(reply("", 0), / \(until 1970-01-01T00:00:00\.000Z; fingerprint [0-9a-f]{16}\)$/);
  db.close();
  assert.deepEqual(
    after.accounts.map(({ password }, i) => password === before.accounts[i]?.password),
    [false, true],
  );
  const told = after.accounts.map((one) => [one.appPasswords, one.forwards, one.reply.replace(/\w{16}\)$/, "…)")]);
  assert.deepEqual(told, [
    [
      ["phone (made 1970-01-01T00:00:00.000Z)"],
      ["anna@example.test", "x@else.test"],
      "Away Write to x@else.test. (until it is ended; fingerprint …)",
    ],
    [[], ["x@else.test"], ""],
  ]);
  assert.doesNotMatch(JSON.stringify(after), /digest|0abc/);
});

test("a copy that an earlier version wrote is read, and what no version wrote is not", (t) => {
  const directory = scratch(t);
  const path = restoreOld("accounts", join(directory, "accounts.db"));
  assert.throws(() => readKeptAccounts(path), /has not been brought up to date yet/);
  const { accounts, aliases } = readCopiedAccounts(path);
  const none = { networks: [], appPasswords: [], forwards: [] };
  assert.partialDeepStrictEqual(accounts, [{ name: "anna@example.test", suspended: false, ...none }]);
  assert.deepEqual(aliases, [{ address: "info@example.test", targets: ["anna@example.test"], blocked: false }]);
  assert.deepEqual(readCopiedAccounts(path), { accounts, aliases }, "and again");
  const foreign = join(directory, "engine.db");
  restoreOld("engine", foreign);
  assert.throws(() => readCopiedAccounts(join(directory, "missing.db")), /does not exist/);
  assert.throws(() => readCopiedAccounts(foreign), /is not the engine\.db of GhostInbox/);
});
