import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { scalarOf } from "../../../test/kit/test-database.ts";
import { TABLES } from "../../mail/postfix/main-cf.ts";
import { layoutOf } from "../../settings/layout.ts";
import { openAccounts } from "../../store/open.ts";
import { verifyPassword } from "../../store/passwords/password-hash.ts";
import { giveSignIn, lookAt } from "./serve-scratch.ts";

test("an account that may sign in from everywhere gets a temporary password; no other is touched", async () => {
  const accountsDb = join(temporaryDirectory(), "accounts.db");
  const layout = { ...layoutOf("/nowhere"), accountsDb };
  const db = openAccounts(accountsDb);
  const add = (name: string, suspended: number): void =>
    db.exec(
      `INSERT INTO account (name, password, suspended, created_at) VALUES ('${name}', '{PLAIN}x', ${suspended}, 1)`,
    );
  add("suspended@example.test", 1);
  add("at-home@example.test", 0);
  db.exec("INSERT INTO account_network (account, network) VALUES ('at-home@example.test', '192.0.2.0/24')");
  assert.equal(await giveSignIn(layout), null);
  add("anna@example.test", 0);
  const given = await giveSignIn(layout);
  assert.equal(given?.account, "anna@example.test");
  const hashOf = (name: string) => scalarOf(db, "SELECT password FROM account WHERE name = ?", name);
  assert.ok(await verifyPassword(String(hashOf("anna@example.test")), given?.password ?? ""));
  for (const name of ["suspended@example.test", "at-home@example.test"]) assert.equal(hashOf(name), "{PLAIN}x");
});

test("a pipe that the second server's guard could put in place of a database does not block the drill", async () => {
  const accountsDb = join(temporaryDirectory(), "accounts.db");
  execFileSync("mkfifo", [accountsDb]);
  const { settings } = loadValid("");
  const look = lookAt({ ...layoutOf("/nowhere"), accountsDb }, settings, { signIn: null, hasFirewall: false });
  await assert.rejects(look, /accounts\.db is not a regular file/);
});

test("aliases are looked up as Postfix's user: SQLite opens files by name, where the guard's user puts them", {
  skip: lacking({ root: true, installed: ["postmap"] }),
}, async () => {
  const data = temporaryDirectory();
  const layout = { ...layoutOf("/nowhere"), postfixConf: data, accountsDb: join(data, "db", "accounts.db") };
  mkdirSync(join(data, "db"));
  using db = openAccounts(layout.accountsDb);
  db.exec("INSERT INTO alias (address, target) VALUES ('info@example.test', 'anna@else.example')");
  writeFileSync(join(data, "main.cf"), "compatibility_level = 3.6\n");
  writeFileSync(join(data, TABLES.aliases.file), `dbpath = ${layout.accountsDb}\nquery = ${TABLES.aliases.query}\n`);
  const { settings } = loadValid('domains = ["example.test"]');
  chmodSync(data, 0o755);
  const seen = () => lookAt(layout, settings, { signIn: null, hasFirewall: false });
  chmodSync(join(data, "db"), 0o700);
  await assert.rejects(seen, /Postfix does not forward info@example\.test/, "only root may enter");
  for (const name of readdirSync(join(data, "db"))) chmodSync(join(data, "db", name), 0o666);
  chmodSync(join(data, "db"), 0o777);
  assert.equal((await seen()).aliases, 1);
});
