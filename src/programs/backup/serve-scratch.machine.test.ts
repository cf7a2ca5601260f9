import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { addUsers } from "../../mail/configuration/directories.ts";
import { TABLES } from "../../mail/postfix/main-cf.ts";
import { layoutOf } from "../../settings/layout.ts";
import { openAccounts } from "../../store/open.ts";
import { inspectServer } from "./serve-scratch.ts";

test("aliases are looked up as Postfix's user: SQLite opens files by name, where the guard's user puts them", {
  skip: lacking({ root: true, installed: ["postmap", "dovecot"] }),
}, async () => {
  // As before a drill: the accounts' group is not there before the first start.
  await addUsers();
  const data = temporaryDirectory();
  const layout = { ...layoutOf("/nowhere"), postfixConf: data, accountsDb: join(data, "db", "accounts.db") };
  mkdirSync(join(data, "db"));
  using db = openAccounts(layout.accountsDb);
  db.exec("INSERT INTO alias (address, target) VALUES ('info@example.test', 'anna@else.example')");
  writeFileSync(join(data, "main.cf"), "compatibility_level = 3.6\n");
  writeFileSync(join(data, TABLES.aliases.file), `dbpath = ${layout.accountsDb}\nquery = ${TABLES.aliases.query}\n`);
  const { settings } = loadValid('domains = ["example.test"]');
  chmodSync(data, 0o755);
  const seen = () => inspectServer(layout, settings, { signIn: null, hasFirewall: false });
  chmodSync(join(data, "db"), 0o700);
  await assert.rejects(seen, /postmap failed: .* unable to open database file/, "only root may enter");
  for (const name of readdirSync(join(data, "db"))) chmodSync(join(data, "db", name), 0o666);
  chmodSync(join(data, "db"), 0o777);
  assert.equal((await seen()).aliases, 1);
});
