import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { openAccounts, openEngine } from "../../store/open.ts";
import { rowsOf } from "./manifest.ts";

test("each change of an account, an alias or a ban is detected; an ended ban does not count", () => {
  const top = temporaryDirectory();
  const layout = { accountsDb: join(top, "accounts.db"), engineDb: join(top, "engine.db") };
  using accounts = openAccounts(layout.accountsDb);
  using engine = openEngine(layout.engineDb);
  const before = rowsOf(layout);
  for (const { count } of Object.values(before)) assert.equal(count, 0);
  accounts.exec("INSERT INTO account (name, password, created_at) VALUES ('anna@example.test', '{PLAIN}x', 1)");
  const added = rowsOf(layout);
  assert.equal(added.accounts.count, 1);
  assert.deepEqual(added.aliases, before.aliases);
  accounts.exec("UPDATE account SET password = '{PLAIN}y'");
  const changed = rowsOf(layout);
  assert.equal(changed.accounts.count, 1);
  assert.notEqual(changed.accounts.sha256, added.accounts.sha256);
  engine.exec(
    "INSERT INTO ban (prefix, first, last, ip, level, code, reason, source, created_at, offences, last_event)" +
      " VALUES ('192.0.2.1/32', x'01', x'ff', '192.0.2.1', 'light', 'mail_limit', 'r', 'engine', 9007199254740993, 1, 1)",
  );
  assert.equal(rowsOf(layout).bans.count, 1);
  engine.exec("UPDATE ban SET ended_at = 2, ended = 'UNBAN', ended_by = 'root'");
  assert.deepEqual(rowsOf(layout).bans, before.bans);
  const token = "'ci', 'x', 'root', 1, 'read'";
  accounts.exec(`INSERT INTO token (name, digest, created_by, created_at, scopes) VALUES (${token})`);
  assert.equal(rowsOf(layout).tokens.count, 1);
});
