import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { scratch } from "../../../test/kit/test-database.ts";
import { openAccounts } from "../open.ts";
import { dropSessions } from "./copied-accounts.ts";

test("sessions of the dashboard are gone, and nothing else", (t) => {
  const path = join(scratch(t), "accounts.db");
  const before = openAccounts(path);
  before.exec(`
    INSERT INTO session VALUES ('d', 'id', 'Firefox', '203.0.113.7', 1, 1, 1, NULL), ('e', 'ie', 'x', '::1', 1, 1, 1, 'anna@example.test');
    INSERT INTO token VALUES ('nightly', 'd', 'root', 1, 'read', NULL, NULL)`);
  before.close();
  dropSessions(path);
  using after = new DatabaseSync(path, { readOnly: true });
  const count = (table: string) => after.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"];
  assert.deepEqual([count("session"), count("token")], [0, 1]);
});
