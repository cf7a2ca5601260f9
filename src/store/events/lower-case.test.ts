import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { addLowerCase, lowerCaseFor } from "./event-search.ts";

test("letters of any language are compared, those of ASCII by what SQLite has", () => {
  using db = new DatabaseSync(":memory:");
  addLowerCase(db);
  const finds = (wanted: string, said: string): boolean =>
    db.prepare(`SELECT instr(${lowerCaseFor(wanted)}(?), ?) > 0 AS found`).get(said, wanted.toLowerCase())?.[
      "found"
    ] === 1;
  assert.deepEqual([lowerCaseFor("Mail."), lowerCaseFor("M\u00dcLLER")], ["lower", "in_lower_case"]);
  for (const [wanted, said] of [
    ["RELAY", "a Relay b"],
    ["\u00c4RGER", "\u00e4rger"],
    ["relay", "RELAY \u00c4"],
  ] as const)
    assert.ok(finds(wanted, said), wanted);
  assert.ok(!finds("x", "y"));
});
