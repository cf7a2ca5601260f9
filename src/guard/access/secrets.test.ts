import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, madePassword, newSecret, newToken } from "./secrets.ts";

test("a token is recognized by its prefix, and its digest covers all of it", () => {
  const { token, digest } = newToken();
  assert.match(token, /^gi_[A-Za-z0-9_-]{43}$/);
  assert.equal(digest, digestOf(token));
});

test("no secret repeats", () => assert.equal(new Set(Array.from({ length: 100 }, newSecret)).size, 100));

test("a digest is SHA-256", () =>
  assert.equal(digestOf("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));

test("a password is four groups of letters and digits that are easy to distinguish, different each time", () => {
  const made = Array.from({ length: 200 }, madePassword);
  for (const password of made) assert.match(password, /^(?:[a-hj-km-np-z2-9]{5}-){3}[a-hj-km-np-z2-9]{5}$/);
  assert.equal(new Set(made).size, made.length);
});
