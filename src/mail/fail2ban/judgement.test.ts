import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJudgement } from "./adopt-filters.ts";

test("matches, and whom they blame", () => {
  const said = {
    matches: [
      ["198.51.100.7", 10, "a line"],
      ["a.name", 11, "x"],
    ],
    lines: 5,
    tricked: null,
  };
  assert.deepEqual(parseJudgement(JSON.stringify(said)), {
    ok: true,
    matches: [{ ip: "198.51.100.7", at: 10_000, line: "a line" }],
    lines: 5,
    tricked: null,
  });
});

test("an error is returned; anything else is not an answer", () => {
  assert.deepEqual(parseJudgement('{"error":"it has no failregex"}'), { ok: false, reason: "it has no failregex" });
  for (const text of ["", "null", "[]", '{"matches":7,"lines":1,"tricked":null}'])
    assert.equal(parseJudgement(text), null);
});
