import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { accountName } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { columnOf } from "../../../test/kit/test-database.ts";
import type { FileChanges } from "../../admin/accounts.ts";
import { instant } from "../../core/time.ts";
import { sqliteAccounts } from "../../store/accounts-db/accounts.ts";
import { readFollowed, sqliteFileAccounts } from "../../store/accounts-db/file-accounts.ts";
import { openAccounts } from "../../store/open.ts";
import { createAccountsFollower } from "./follow-accounts.ts";

const NOW = instant(1_000);
const HASH = `{SHA512-CRYPT}$6$saltsalt$${"a".repeat(86)}`;
const OTHER = `{SHA512-CRYPT}$6$saltsalt$${"b".repeat(86)}`;
const LOOKS = 3;

function fresh(t: TestContext) {
  const directory = temporaryDirectory();
  const database = join(directory, "accounts.db");
  const db = openAccounts(database);
  t.after(() => db.close());
  const files = sqliteFileAccounts(db);
  const path = join(directory, "postfix-accounts.cf");
  const reported: FileChanges[] = [];
  let up = true;
  let domain = "example.org";
  let duringAsk = (): void => undefined;
  /** The guard's part, without its socket. */
  const follower = createAccountsFollower({
    secretFile: join(directory, "no-secret"),
    present: async () => readFollowed(database),
    ask: ({ entries, gone }) => {
      if (!up) return Promise.resolve(null);
      const ours = entries.filter(({ name }) => name.endsWith(`@${domain}`));
      const named = ours.map(({ name, ...entry }) => ({ ...entry, name: accountName(name) }));
      const others = entries.filter((entry) => !ours.includes(entry));
      const followed = files.follow(named, gone.map(accountName), NOW);
      const changes = {
        ...followed,
        skipped: [...others.map(({ name }) => ({ name, why: "belongs to a different domain" })), ...followed.skipped],
      };
      duringAsk();
      reported.push(changes);
      return Promise.resolve(changes);
    },
  });
  const look = async (times = LOOKS): Promise<void> => {
    for (let i = 0; i < times; i++) await follower.look(path);
  };
  const write = (text: string): void => writeFileSync(path, text);
  return {
    db,
    path,
    look,
    reported,
    follower,
    files,
    accounts: sqliteAccounts(db),
    write,
    /** Writes the file, and looks until it is used. */
    follow: (text: string): Promise<void> => {
      write(text);
      return look();
    },
    serve: (name: string) => void (domain = name),
    whileAsked: (work: () => void) => void (duringAsk = work),
    guardUp: (value: boolean) => void (up = value),
    mayLogIn: () => columnOf(db, "SELECT user FROM passdb ORDER BY user"),
    hashOf: (name: string) => readFollowed(database).find((row) => row.name === name)?.hash ?? "",
    trouble: () => follower.troubles()[0]?.detail ?? null,
  };
}

test("lines are added, changed and removed; a file is used once it has been unchanged for a while", async (t) => {
  const { write, follow, look, mayLogIn, hashOf, reported, trouble } = fresh(t);
  write(`anna@example.org|${HASH}\n`);
  await look(LOOKS - 1);
  assert.deepEqual(mayLogIn(), []);
  write(`anna@example.org|${HASH}\nbert@example.org|{PLAIN}a clear text\n`);
  await look(LOOKS - 1);
  assert.deepEqual(mayLogIn(), [], "it changed during the check");
  await look(1);
  assert.deepEqual(mayLogIn(), ["anna@example.org", "bert@example.org"]);
  assert.match(hashOf("bert@example.org"), /^\{ARGON2ID\}/);
  const commands = reported.length;
  await follow(`# a comment more\nanna@example.org|${OTHER}\nbert@example.org|{PLAIN}a clear text\n`);
  assert.equal(hashOf("anna@example.org"), OTHER);
  assert.equal(reported.length, commands + 1);
  write(`anna@example.org|${OTHER}\n`);
  await look(10);
  assert.deepEqual(mayLogIn(), ["anna@example.org"]);
  assert.equal(reported.length, commands + 2);
  assert.equal(trouble(), null);
});

test("an unchanged clear-text password keeps its hash, and with it sessions and app passwords", async (t) => {
  const { follow, hashOf, reported, files } = fresh(t);
  const line = "bert@example.org|{PLAIN}a clear text";
  await follow(`anna@example.org|${HASH}\n${line}\n`);
  const first = hashOf("bert@example.org");
  await follow(`anna@example.org|${HASH}\n${line}|userdb_quota_rule=*:storage=2G\n`);
  assert.deepEqual(reported.at(-1)?.quotas, ["bert@example.org"], "another quota");
  await follow(`anna@example.org|${HASH}\n`);
  await follow(`anna@example.org|${HASH}\n${line}\n`);
  assert.deepEqual(reported.at(-1)?.resumed, ["bert@example.org"], "a line that is back");
  files.endFollowing();
  await follow(`${line}\nanna@example.org|${HASH}\n`);
  assert.deepEqual(reported.at(-1)?.changed, [], "a file that is followed again");
  assert.equal(hashOf("bert@example.org"), first);
});

test("removed lines are suspended before passwords in clear text are verified, each only once", async (t) => {
  const { follow, reported, whileAsked } = fresh(t);
  const derive = t.mock.method(crypto, "argon2");
  syncBuiltinESMExports();
  t.after(() => {
    derive.mock.restore();
    syncBuiltinESMExports();
  });
  const line = "bert@example.org|{PLAIN}a clear text\n";
  await follow(`${line}anna@example.org|${HASH}\n`);
  const calls: number[] = [];
  whileAsked(() => void calls.push(derive.mock.callCount()));
  await follow(`${line}carl@example.org|${HASH}\n`);
  await follow(`${line}carl@example.org|${OTHER}\n`);
  assert.deepEqual(calls, [1, 2, 2], "the first hashed it");
  assert.deepEqual(
    reported.slice(1).map(({ suspended, added, changed }) => [suspended, added, changed]),
    [
      [["anna@example.org"], [], []],
      [[], ["carl@example.org"], []],
      [[], [], ["carl@example.org"]],
    ],
  );
});

test("an empty, missing, truncated or invalid file changes nothing and is reported", async (t) => {
  const { write, follow, look, mayLogIn, path, trouble, reported } = fresh(t);
  await follow(`anna@example.org|${HASH}\nbert@example.org|${HASH}\n`);
  const both = mayLogIn();
  assert.equal(both.length, 2);
  for (const [text, says] of [
    ["", /names no account/],
    ["# all gone\n", /names no account/],
    [null, /does not exist/],
    [`anna@example.org|${HASH.slice(0, 60)}`, /Line 1: the password of anna@example\.org is not a complete hash/],
    [`anna@example.org|${HASH}\nbert@exam`, /Line 2: there is no \|/],
  ] as const) {
    if (text === null) rmSync(path);
    else write(text);
    await look();
    assert.deepEqual(mayLogIn(), both);
    assert.match(trouble() ?? "no trouble", says);
  }
  rmSync(path);
  execFileSync("mkfifo", [path]);
  await look();
  assert.match(trouble() ?? "no trouble", /is not a file, or is larger than 16 MB$/);
  rmSync(path);
  assert.ok(reported.length > 0);
  await follow(`anna@example.org|${HASH}\n`);
  assert.deepEqual(mayLogIn(), ["anna@example.org"]);
  assert.equal(trouble(), null);
});

test("fields that are not used are reported while the file has them, and the rest of it is in force", async (t) => {
  const { path, follow, look, follower, mayLogIn, reported, trouble } = fresh(t);
  await follow(`anna@example.org|${HASH}|userdb_mail=mbox:~/mail allow_nets=192.0.2.0/24\n`);
  assert.deepEqual(mayLogIn(), ["anna@example.org"]);
  assert.equal(trouble(), `${path}: ignored in line 1: userdb_mail, allow_nets of anna@example.org`);
  await follow(`anna@example.org|${HASH}|nologin\nbert@example.org|${HASH}|userdb_quota_rule=Trash:storage=+10%\n`);
  assert.equal(trouble(), `${path}: ignored in line 1: nologin of anna@example.org, and fields in 1 more line`);
  const commands = reported.length;
  await look(10);
  assert.equal(reported.length, commands);
  const codes = () => follower.troubles().map(({ code }) => code);
  assert.deepEqual(codes(), ["accounts_file_ignored"]);
  await follow("");
  assert.deepEqual(codes(), ["accounts_file_refused"], "another alert");
  await follow(`anna@example.org|${HASH}|${"x ".repeat(99)}\n`);
  assert.equal(trouble(), `${path}: ignored in line 1: ${"x, ".repeat(9)}x of anna@example.org`);
  await follow(`anna@example.org|${HASH}|userdb_quota_rule=*:storage=1G\n`);
  assert.deepEqual(codes(), []);
});

test("accounts made by command are not touched; the guard is asked again until it answers", async (t) => {
  const { accounts, write, follow, look, mayLogIn, hashOf, guardUp, reported } = fresh(t);
  accounts.add(accountName("carl@example.org"), OTHER, NOW);
  write(`anna@example.org|${HASH}\ncarl@example.org|${HASH}\n`);
  guardUp(false);
  await look(10);
  assert.deepEqual(mayLogIn(), ["carl@example.org"]);
  guardUp(true);
  await look(1);
  assert.deepEqual(mayLogIn(), ["anna@example.org", "carl@example.org"]);
  await follow(`anna@example.org|${OTHER}\n`);
  assert.equal(hashOf("carl@example.org"), OTHER);
  assert.deepEqual(mayLogIn(), ["anna@example.org", "carl@example.org"]);
  assert.ok(reported.every(({ skipped }) => skipped.length === 0));
});

test("skipped lines are tried again once the settings have changed, even while they are being skipped", async (t) => {
  const { follow, look, follower, mayLogIn, serve, whileAsked, trouble } = fresh(t);
  await follow(`anna@late.test|${HASH}\n`);
  serve("late.test");
  await look(10);
  assert.match(trouble() ?? "", /anna@late\.test belongs to a different domain$/);
  follower.forget();
  await look();
  assert.deepEqual([mayLogIn(), trouble()], [["anna@late.test"], null]);
  whileAsked(() => {
    follower.forget();
    serve("later.test");
    whileAsked(() => undefined);
  });
  await follow(`anna@late.test|${HASH}\nbert@later.test|${HASH}\n`);
  await look();
  assert.deepEqual([mayLogIn(), trouble()], [["anna@late.test", "bert@later.test"], null]);
});

test("a file that was restored, or whose obstacle is gone, is used without another edit", async (t) => {
  const { db, path, follow, look, mayLogIn, reported, trouble } = fresh(t);
  await follow(`anna@example.org|${HASH}\n`);
  rmSync(path);
  await look();
  assert.match(trouble() ?? "", /does not exist$/);
  await follow(`anna@example.org|${HASH}\n`);
  assert.equal(trouble(), null);
  db.exec("INSERT INTO alias (address, target) VALUES ('info@example.org', 'anna@example.org')");
  await follow(`anna@example.org|${HASH}\ninfo@example.org|${HASH}\n`);
  assert.match(trouble() ?? "", /info@example\.org is an alias already$/);
  const asked = reported.length;
  db.exec("DELETE FROM alias");
  await look(600);
  assert.equal(reported.length, asked, "at most every ten minutes");
  await look();
  assert.deepEqual([mayLogIn(), trouble()], [["anna@example.org", "info@example.org"], null]);
  await look(700);
  assert.equal(reported.length, asked + 1);
});

test("without a followed file nothing is read or reported", async (t) => {
  const { follower } = fresh(t);
  for (let i = 0; i < LOOKS; i++) await follower.look("/nonexistent");
  assert.equal(follower.troubles().length, 1);
  await follower.look("");
  assert.equal(follower.troubles().length, 0);
});
