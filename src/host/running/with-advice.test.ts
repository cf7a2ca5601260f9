import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { withAdvice } from "./failure.ts";

const ADVICE = /Stop the server and start it again/;

test("a permission error says how to restore the rights; other errors do not", () => {
  assert.match(
    withAdvice(Object.assign(new Error("EACCES: permission denied, open '/x'"), { code: "EACCES" })),
    ADVICE,
  );
  assert.match(withAdvice(Object.assign(new Error("EPERM: chmod '/x'"), { code: "EPERM" })), ADVICE);
  assert.throws(
    () => readFileSync("/nonexistent"),
    (error) => withAdvice(error) === "ENOENT: no such file or directory, open '/nonexistent'",
  );
});
