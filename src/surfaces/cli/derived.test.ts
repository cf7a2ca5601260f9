import assert from "node:assert/strict";
import { test } from "node:test";
import { typed } from "../../../test/kit/typed-command.ts";

test("a message about a wrong value repeats only its start", async () => {
  const { code, err, asked } = await typed(`account vacation anna@example.org ${"x".repeat(8_001)}`, () =>
    assert.fail("the guard was asked"),
  );
  assert.equal(code, 2);
  assert.deepEqual(asked, []);
  assert.match(err, /^"x{79}…" is not a text of 1 to 4000 characters, without control characters\. See /);
});
