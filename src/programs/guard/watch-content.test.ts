import assert from "node:assert/strict";
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { accountName, mailAddress, net } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { accountsFor, START } from "../../../test/kit/test-database.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { sqliteAccounts } from "../../store/accounts-db/accounts.ts";
import { sqliteSenderLogins } from "../../store/accounts-db/mail-lookups.ts";
import { createAuthorFiles, createContentLists, createSpamPreferenceFiles } from "./watch-content.ts";

describe("files of allowed senders", () => {
  test("are written where spamd reads them, and again only when a list changes", () => {
    const directory = temporaryDirectory();
    const lists = new Map([["anna@example.org", ["bea@friend.example"]]]);
    let changes = 0;
    let reads = 0;
    const byRecipient = () => {
      reads += 1;
      return lists;
    };
    const refresh = createSpamPreferenceFiles(directory, { byRecipient, changes: () => changes });
    refresh();
    const file = join(directory, "example.org", "anna", "user_prefs");
    assert.match(readFileSync(file, "utf8"), /bea@friend\.example/);
    assert.equal(statSync(file).mode & 0o007, 0, "other users may not read it");
    utimesSync(file, 1_000, 1_000);
    refresh();
    assert.equal(reads, 1, "the lists are not even read before a change");
    changes += 1;
    refresh();
    assert.equal(statSync(file).mtimeMs, 1_000_000);
    lists.set("anna@example.org", ["*@other.example"]);
    changes += 1;
    refresh();
    assert.match(readFileSync(file, "utf8"), /\*@other\.example/);
    lists.delete("anna@example.org");
    changes += 1;
    refresh();
    assert.ok(!existsSync(file));
  });

  test("that could not be written are retried", () => {
    const directory = join(temporaryDirectory(), "spam");
    writeFileSync(directory, "a file where the directory should be");
    const byRecipient = () => new Map([["anna@example.org", ["bea@friend.example"]]]);
    const refresh = createSpamPreferenceFiles(directory, { byRecipient, changes: () => 0 });
    assert.throws(refresh, /EEXIST|ENOTDIR/);
    rmSync(directory);
    refresh();
    assert.ok(existsSync(join(directory, "example.org", "anna", "user_prefs")));
  });
});

test("a list that cannot be written is logged, and the others are still written", () => {
  const warned: string[] = [];
  const log = { info: assert.fail, error: assert.fail, warn: (says: string) => warned.push(says) };
  let authors = 0;
  const full = (): never => {
    throw new Error("disk full");
  };
  const lists = createContentLists({ log, preferences: full, authors: () => (authors += 1) });
  lists.refresh();
  lists.refresh();
  assert.deepEqual(warned, ["The lists of allowed senders could not be written; retrying."], "once");
  assert.equal(authors, 2);
});

const ANNA = accountName("anna@example.org");
const BERT = accountName("bert@example.net");
const HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA";

function setUp(t: TestContext) {
  const db = accountsFor(t);
  const files = temporaryDirectory();
  const logins = sqliteSenderLogins(db);
  const { mock } = t.mock.method(logins, "all");
  const now = { domains: ["example.org"] as readonly string[], allowed: [] as readonly Prefix[] };
  const refresh = createAuthorFiles(files, { logins, domains: () => now.domains, allowed: () => now.allowed });
  const read = (name: string): readonly string[] => readFileSync(join(files, name), "utf8").split("\n").slice(1, -2);
  return { accounts: sqliteAccounts(db), refresh, now, read, files, asked: () => mock.callCount() };
}

test("the view's addresses of our domains are written, and again only when they have changed", (t) => {
  const { accounts, refresh, now, read, files, asked } = setUp(t);
  for (const name of [ANNA, BERT]) accounts.add(name, HASH, START);
  accounts.addAlias(mailAddress("info@example.org"), [ANNA, BERT]);
  refresh();
  const anna = "anna@example.org anna@example.org";
  const info = "info@example.org anna@example.org,bert@example.net";
  assert.deepEqual(read("senders"), [anna, info]);
  assert.equal(statSync(join(files, "senders")).mode & 0o007, 0);

  for (let times = 0; times < 3; times++) refresh();
  assert.equal(asked(), 1);
  accounts.setAliasBlocked(mailAddress("info@example.org"), true);
  refresh();
  assert.deepEqual(read("senders"), [anna]);
  now.domains = ["example.org", "example.net"];
  refresh();
  assert.deepEqual(read("senders"), [anna, "bert@example.net bert@example.net"]);
  assert.deepEqual(readdirSync(files).sort(), ["clients", "senders"]);
});

test("the allow list is written as it changes", (t) => {
  const { refresh, now, read } = setUp(t);
  refresh();
  assert.deepEqual(read("clients"), []);
  now.allowed = ["198.51.100.0/24", "2001:db8::/32"].map(net);
  refresh();
  assert.deepEqual(read("clients"), ["198.51.100.0/24", "2001:db8::/32"]);
});

test("a file that was emptied, changed, removed or replaced is written again, and only then", (t) => {
  const { accounts, refresh, files } = setUp(t);
  accounts.add(ANNA, HASH, START);
  refresh();
  for (const name of ["senders", "clients"]) {
    const file = join(files, name);
    const text = readFileSync(file, "utf8");
    assert.match(text, /^# .*Written by the guard\.\n(.*\n)*# end\n$/);
    const spoil: readonly (() => void)[] = [
      () => writeFileSync(file, ""),
      () => writeFileSync(file, text.toUpperCase()),
      () => rmSync(file),
      () => {
        writeFileSync(`${file}.other`, text.slice(0, -6));
        renameSync(`${file}.other`, file);
      },
    ];
    for (const work of spoil) {
      work();
      refresh();
      assert.equal(readFileSync(file, "utf8"), text);
    }
    const { ino } = statSync(file);
    refresh();
    assert.equal(statSync(file).ino, ino);
  }
});
