import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, failureOf, messageOf, nullOn } from "./error.ts";

test("messageOf returns an error's message, and anything else as text", () => {
  const messages = [new TypeError("no such thing"), "plain", undefined].map(messageOf);
  assert.deepEqual(messages, ["no such thing", "plain", "undefined"]);
});

test("codeOf returns an error's code, or an empty text", () => {
  const coded = ["ENOENT", 7].map((code) => Object.assign(new Error("gone"), { code }));
  const codes = [...coded, new Error("plain"), { code: "ENOENT" }, null].map(codeOf);
  assert.deepEqual(codes, ["ENOENT", "7", "", "", ""]);
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
