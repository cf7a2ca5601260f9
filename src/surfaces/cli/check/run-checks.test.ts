import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedServer } from "../../../../test/kit/checked-server.ts";
import { ok, unknown, worstOf, wrong } from "./finding.ts";
import { runChecks } from "./run-checks.ts";
import type { Group } from "./server.ts";

test("a check that throws or hangs is unknown and does not stop the others; databases come last", async () => {
  const order: string[] = [];
  const looked = (name: string) => () => {
    order.push(name);
    return ok(`${name}\u001b[1m s3://key:secret@host/b`);
  };
  const groups: readonly Group[] = [
    { name: "database", checks: [{ name: "engine", does: "x", look: looked("engine") }] },
    {
      name: "g",
      checks: [
        { name: "throws", does: "x", look: () => assert.fail("broken") },
        { name: "hangs", does: "x", look: () => new Promise(() => undefined) },
        { name: "works", does: "x", look: looked("works") },
      ],
    },
  ];
  const results = await runChecks(groups, checkedServer(), 20);
  assert.deepEqual(
    results.map(({ id, state }) => [id, state]),
    [
      ["database.engine", "ok"],
      ["g.throws", "unknown"],
      ["g.hangs", "unknown"],
      ["g.works", "ok"],
    ],
  );
  assert.match(results[2]?.evidence ?? "", /did not finish within 0\.02 s/);
  assert.equal(results[3]?.evidence, "works\\x1b[1m s3://…@host/b");
  assert.deepEqual(order, ["works", "engine"]);
});

test("of several findings the worst counts, with all that are equally bad", () => {
  const found = worstOf([ok("a"), wrong("b.", "fix b"), unknown("c"), wrong("d", "fix d"), wrong("d", "")], "");
  assert.deepEqual(found, { state: "wrong", saw: "b. d.", fix: "fix b" });
  assert.deepEqual(worstOf([], "none"), ok("none"));
});
