import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, failureOf, messageOf, nullOn } from "./error.ts";

test("messageOf returns an error's message, and anything else as text", () => {
  assert.equal(messageOf(new TypeError("no such thing")), "no such thing");
  assert.equal(messageOf("plain"), "plain");
  assert.equal(messageOf(undefined), "undefined");
});

test("codeOf returns an error's code, or an empty text", () => {
  assert.equal(codeOf(Object.assign(new Error("gone"), { code: "ENOENT" })), "ENOENT");
  assert.equal(codeOf(Object.assign(new Error("odd"), { code: 7 })), "7");
  assert.equal(codeOf(new Error("plain")), "");
  assert.equal(codeOf({ code: "ENOENT" }), "");
  assert.equal(codeOf(null), "");
});

test("failureOf returns the message of an error, or null", () => {
  const failures = [() => assert.fail("no room"), () => 7].map(failureOf);
  assert.deepEqual(failures, ["no room", null]);
});

test("only errors with one of the codes become null", () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error("no such file"), { code });
  };
  assert.equal(nullOn(["ENOENT", "ENOTDIR"], failing("ENOTDIR")), null);
  assert.throws(() => nullOn(["ENOENT"], failing("EACCES")), { code: "EACCES" });
  const seven = nullOn(["ENOENT"], () => 7);
  assert.equal(seven, 7);
});
