import assert from "node:assert/strict";
import { test } from "node:test";
import { databaseOnMemory } from "../../../test/kit/memory-database.ts";
import { parseAddress } from "../../core/net/address.ts";
import { SqliteAliasReach } from "./mail-views.ts";
import { accountsMigrations } from "./schema.ts";

function reachOf(address: string, aliases: readonly (readonly [string, string])[]): string {
  const db = databaseOnMemory(accountsMigrations);
  const add = db.prepare("INSERT INTO alias (address, target) VALUES (?, ?)");
  for (const [alias, target] of aliases) add.run(`${alias}@example.test`, `${target}@example.test`);
  const { alias, addresses } = new SqliteAliasReach(db).widest(
    parseAddress(`${address}@example.test`) ?? assert.fail(),
  );
  return `${alias.split("@")[0]} ${addresses}`;
}

test("an alias reaches what its targets reach, once for each mention", () => {
  assert.equal(reachOf("anna", []), "anna 1");
  const team = [
    ["team", "anna"],
    ["team", "bert"],
  ] as const;
  assert.equal(reachOf("team", team), "team 2");
  assert.equal(reachOf("all", [...team, ["all", "Team"], ["all", "anna"]]), "all 3");
});

test("the widest of those that lead to it counts, and a circle ends", () => {
  const lists = [
    ["team", "anna"],
    ["all", "team"],
    ["all", "bert"],
    ["all", "cleo"],
  ] as const;
  assert.equal(reachOf("team", lists), "all 3");
  assert.equal(
    reachOf("a", [
      ["a", "b"],
      ["b", "a"],
    ]),
    "a 1",
  );
});

test("mail is sent on to each target, and to the mailbox of an address with an extension", () => {
  const db = databaseOnMemory(accountsMigrations);
  db.exec(
    `INSERT INTO alias VALUES ('info@example.test', 'Anna+shop@example.test'), ('anna@example.test', 'x@else.example')`,
  );
  assert.deepEqual(new SqliteAliasReach(db).onward("info@example.test"), [
    "info@example.test",
    "anna+shop@example.test",
    "anna@example.test",
    "x@else.example",
  ]);
});

test("each step of the search uses an index, as it runs in the guard's own thread", () => {
  const db = databaseOnMemory(accountsMigrations);
  for (const column of ["address", "target"]) {
    const plan = db.prepare(`EXPLAIN QUERY PLAN SELECT address FROM onward WHERE ${column} = ?`).all("a@example.test");
    const steps = plan.map(({ detail }) => String(detail));
    for (const table of ["alias", "forward"])
      assert.ok(
        steps.some((step) => step.startsWith(`SEARCH ${table} USING`)),
        `${column}: ${steps.join(", ")}`,
      );
  }
});
