import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { accountsFor, rowsOf } from "../../../test/kit/test-database.ts";
import { differences } from "../../core/incident/incident.ts";
import { settingChanges } from "../changed-since.ts";
import { readAccountContents } from "./copied-accounts.ts";
import { readAccountSettings, SETTING_TABLES } from "./setting-tables.ts";

const ANNA = "anna@example.test";
const SECRET = /(digest|hash|password|proof|secret)\w* [01]/;

/** Adds a row for Anna. Numbers in it are `seed`, and texts and bytes are the column's name and `seed`. */
function fill(db: DatabaseSync, table: string, seed: 0 | 1): void {
  const columns = rowsOf(db, "SELECT name, type FROM pragma_table_info(?)", table);
  const values = columns.map(([name, type]) => {
    if (name === "account" || name === "of_whom") return ANNA;
    const text = `${String(name)} ${seed}`;
    return type === "TEXT" ? text : type === "BLOB" ? Buffer.from(text) : seed;
  });
  db.prepare(`INSERT INTO ${table} VALUES (${values.map(() => "?").join()})`).run(...values);
}

for (const { key, says, tables, shown } of SETTING_TABLES) {
  const [table] = tables;

  test(`${says}: a comparison names only one that is removed or replaced, without its secret`, (t) => {
    const [now, copy] = [accountsFor(t), accountsFor(t)];
    const contents = (db: DatabaseSync) => readAccountContents(db.location() ?? "");
    const differing = (): string => {
      const changed = Object.entries(settingChanges(now, copy)).flatMap(([kind, changes]) =>
        Object.entries(changes).flatMap(([how, names]) => names.map((name) => `${kind} ${how}: ${name}`)),
      );
      const evidence = differences(contents(copy), contents(now)).map(
        ({ what, was, is }) => `${what}: ${was} -> ${is}`,
      );
      return [...changed, ...evidence].join("\n");
    };
    fill(copy, table, 0);
    const removed = differing();
    assert.match(removed, new RegExp(`^${key} removed: .*${ANNA}.*\n${shown.what} .*of ${ANNA}: .+ -> null$`));
    fill(now, table, 1);
    const replaced = differing();
    assert.match(replaced, new RegExp(`^(${key} .+\n)+(${shown.what} .*of ${ANNA}: .+\n?)+$`));
    assert.match(replaced, new RegExp(`${shown.what} .*of ${ANNA}: .+ -> (?!null$|another$)`, "m"));
    assert.doesNotMatch(removed + replaced, SECRET);
    now.exec(`DELETE FROM ${table}`);
    fill(now, table, 0);
    assert.equal(differing(), "");
  });

  test(`${says}: the next account of the same name inherits none`, (t) => {
    const db = accountsFor(t);
    db.prepare("INSERT INTO account (name, password, created_at) VALUES (?, '{X}y', 0)").run(ANNA);
    for (const one of tables) fill(db, one, 0);
    db.exec("DELETE FROM account");
    const left = tables.flatMap((one) => rowsOf(db, `SELECT * FROM ${one}`));
    assert.deepEqual(left, []);
  });
}

test("an account's settings are described in full, and using an app password makes no difference", (t) => {
  const db = accountsFor(t);
  const path = db.location() ?? "";
  // The other targets of Bert's mail were removed.
  db.exec(`
    INSERT INTO app_password VALUES
      ('${ANNA}', 'phone', 'd', 'p', 'root', 0, NULL), ('${ANNA}', 'tablet', 'e', 'q', 'root', 1, 60000);
    INSERT INTO forward VALUES
      ('bert@example.test', 'bert@example.test'), ('${ANNA}', 'x@else.test'), ('${ANNA}', 'y@else.test');
    INSERT INTO vacation VALUES ('${ANNA}', 'Away', 'One\n\nTwo', NULL)`);
  const made = "made 1970-01-01 00:00:00 UTC";
  const used = `tablet (${made}, last used 1970-01-01 00:01:00 UTC)`;
  const [x, y] = ["x@else.test (no copy stays here)", "y@else.test (no copy stays here)"];
  assert.deepEqual(readAccountSettings(db, ANNA), [
    { what: "app password", is: [`phone (${made}, never used)`, used] },
    { what: "forwarding to", is: [x, y] },
    { what: "vacation reply", is: ["until it is ended: Away One / Two"] },
  ]);
  assert.deepEqual(readAccountSettings(db, "bert@example.test"), []);
  const before = readAccountContents(path);
  db.exec("UPDATE app_password SET used_at = 120000");
  assert.deepEqual(differences(before, readAccountContents(path)), []);
  db.exec(`INSERT INTO forward VALUES ('${ANNA}', '${ANNA}'), ('${ANNA}', 'z@${"e".repeat(240)}.test')`);
  for (let n = 0; n < 200; n++) db.exec(`INSERT INTO account_network VALUES ('${ANNA}', '2001:db8:0:${n}::/64')`);
  assert.deepEqual(
    differences(before, readAccountContents(path)).filter(({ what }) => /^forwarding|:(0|199)::/.test(what)),
    [
      { what: `forwarding to x@else.test of ${ANNA}`, was: "no copy stays here", is: "a copy stays here" },
      { what: `forwarding to y@else.test of ${ANNA}`, was: "no copy stays here", is: "a copy stays here" },
      { what: `forwarding to z@${"e".repeat(240)}.test of ${ANNA}`, was: null, is: "a copy stays here" },
      { what: `sign-ins only from 2001:db8:0:0::/64 of ${ANNA}`, was: null, is: "set" },
      { what: `sign-ins only from 2001:db8:0:199::/64 of ${ANNA}`, was: null, is: "set" },
    ],
  );
});
