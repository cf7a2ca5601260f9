import assert from "node:assert/strict";
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { accountName, mailAddress, net } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { accountsFor, START } from "../../../test/kit/test-database.ts";
import { type Prefix } from "../../core/net/ip.ts";
import { sqliteAccounts } from "../../store/accounts-db/accounts.ts";
import { sqliteSenderLogins } from "../../store/accounts-db/mail-lookups.ts";
import { createAuthorFiles } from "./author-files.ts";

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

test("a file that was emptied, changed, removed or put in its place by another is written again, and only then", (t) => {
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
