import assert from "node:assert/strict";
import { test } from "node:test";
import { assignments, sampleSite } from "../../../test/kit/sample-site.ts";
import { renderPostfixTables } from "./main-cf.ts";

test("each table asks its view, and only about our domains", () => {
  const tables = new Map(renderPostfixTables(sampleSite()).map(({ name, text }) => [name, assignments(text)]));
  assert.deepEqual([...tables.keys()], ["mailboxes.cf", "aliases.cf", "senders.cf"]);
  for (const table of tables.values()) {
    assert.equal(table.get("dbpath"), "/srv/mail/db/accounts/accounts.db");
    assert.equal(table.get("domain"), "example.org example.net");
  }
  assert.equal(tables.get("aliases.cf")?.get("query"), "SELECT targets FROM alias_map WHERE address = '%s'");
});
