import assert from "node:assert/strict";
import { test } from "node:test";
import { lacking } from "./needs.ts";

test("a test runs where all that it takes is there", () => {
  assert.equal(lacking({ installed: ["sh", import.meta.filename] }), false);
  assert.equal(lacking({ root: true }), process.getuid?.() === 0 ? false : "it takes root");
});

test("what is missing is named, and a file that cannot run is not a command", () => {
  assert.equal(lacking({ installed: ["sh", "no-such-program"] }), "not installed: no-such-program");
  assert.equal(lacking({ installed: ["/no/such", "nor-this"] }), "not installed: /no/such, nor-this");
  assert.equal(lacking({ users: ["root", "no-such-user"] }), "no such user: no-such-user");
});
