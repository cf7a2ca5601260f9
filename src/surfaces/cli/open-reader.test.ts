import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { accountName, NOON } from "../../../test/kit/samples.ts";
import { dataDirectory } from "../../../test/kit/test-guard.ts";
import { sqliteAccounts } from "../../store/accounts-db/accounts.ts";
import { initialise } from "../../store/recovery/initialise.ts";
import { openReader } from "./open-reader.ts";

const PAGE = { limit: 50, cursor: null };

test("reads accounts, aliases, tokens and bans from the guard's databases", () => {
  using layout = dataDirectory();
  const databases = initialise(layout);
  const name = accountName("anna@example.org");
  sqliteAccounts(databases.accounts).add(name, "{ARGON2ID}x", NOON);
  const opened = openReader(layout);
  assert.ok(opened.ok);
  const [anna, ...others] = opened.reader.accounts(PAGE).items;
  assert.deepEqual([anna?.name, anna?.lastSignInAt, others], [name, null, []]);
  assert.deepEqual(opened.reader.access("Anna@example.org"), { addresses: [name], lastSignIn: null });
  assert.deepEqual([opened.reader.aliases(PAGE).items, opened.reader.tokens(PAGE).items], [[], []]);
  assert.deepEqual(opened.reader.queries.bans(NOON, PAGE).items, []);
  opened.close();
  assert.throws(() => opened.reader.accounts(PAGE), /finalized/);
  databases.accounts.close();
  databases.engine.close();
});

test("reports an unusable database", () => {
  using layout = dataDirectory();
  const missing = openReader(layout);
  assert.ok(!missing.ok);
  assert.match(missing.reason, /engine\.db/);
  initialise(layout);
  for (const end of ["-wal", "-shm"]) rmSync(`${layout.engineDb}${end}`, { force: true });
  // As long as the head of a database.
  writeFileSync(layout.engineDb, "not a database".padEnd(100, "."));
  const damaged = openReader(layout);
  assert.ok(!damaged.ok);
  assert.match(damaged.reason, /engine\.db/);
});
