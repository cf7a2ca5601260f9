import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { scalarOf } from "../../../test/kit/test-database.ts";
import { layoutOf } from "../../settings/layout.ts";
import { openAccounts } from "../../store/open.ts";
import { verifyPassword } from "../../store/passwords/password-hash.ts";
import { giveTestPassword, inspectServer } from "./serve-scratch.ts";

test("an account that may sign in from everywhere gets a temporary password; no other is touched", async () => {
  const accountsDb = join(temporaryDirectory(), "accounts.db");
  const layout = { ...layoutOf("/nowhere"), accountsDb };
  const db = openAccounts(accountsDb);
  const row = "INSERT INTO account (name, password, suspended, created_at) VALUES (?, '{PLAIN}x', ?, 1)";
  const add = (name: string, suspended: number) => db.prepare(row).run(name, suspended);
  add("suspended@example.test", 1);
  add("at-home@example.test", 0);
  db.exec("INSERT INTO account_network (account, network) VALUES ('at-home@example.test', '192.0.2.0/24')");
  assert.equal(await giveTestPassword(layout), null);
  add("anna@example.test", 0);
  const given = await giveTestPassword(layout);
  assert.equal(given?.account, "anna@example.test");
  const hashOf = (name: string) => scalarOf(db, "SELECT password FROM account WHERE name = ?", name);
  assert.ok(await verifyPassword(String(hashOf("anna@example.test")), given?.password ?? ""));
  for (const name of ["suspended@example.test", "at-home@example.test"]) assert.equal(hashOf(name), "{PLAIN}x");
});

test("a pipe that the second server's guard could put in place of a database does not block the drill", async () => {
  const accountsDb = join(temporaryDirectory(), "accounts.db");
  execFileSync("mkfifo", [accountsDb]);
  const { settings } = loadValid("");
  const look = inspectServer({ ...layoutOf("/nowhere"), accountsDb }, settings, { signIn: null, hasFirewall: false });
  await assert.rejects(look, /accounts\.db is not a regular file/);
});
