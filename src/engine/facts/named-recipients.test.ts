import assert from "node:assert/strict";
import { test } from "node:test";
import { NamedRecipients } from "./named-recipients.ts";

const FIRST = { session: "203.0.113.7 40000", transaction: "a1.1" };
const SECOND = { ...FIRST, transaction: "a1.2" };
const OTHER = { session: "203.0.113.7 40001", transaction: "a2.1" };

test("the recipients of the mail under way, without those of a mail that was given up", () => {
  const named = new NamedRecipients();
  assert.deepEqual(named.of(SECOND), []);
  named.add(FIRST, "given-up@example.net");
  named.add(SECOND, "first@example.net");
  named.add(SECOND, "second@example.net");
  named.add(OTHER, "other@example.net");
  assert.deepEqual(named.of(SECOND), ["first@example.net", "second@example.net"]);
  assert.deepEqual(named.of(FIRST), []);
  named.end(SECOND.session);
  assert.deepEqual(named.of(SECOND), []);
  assert.deepEqual(named.of(OTHER), ["other@example.net"]);
});

test("neither many recipients nor many connections are held for ever", () => {
  const named = new NamedRecipients();
  for (let n = 0; n <= 100; n++) named.add(FIRST, `${n}`);
  assert.equal(named.of(FIRST).length, 100);
  for (let n = 0; n < 256; n++) named.add({ session: `${n}`, transaction: "b" }, "one");
  assert.deepEqual(named.of(FIRST), []);
  assert.deepEqual(named.of({ session: "0", transaction: "b" }), ["one"]);
  named.add({ session: "0", transaction: "b" }, "two");
  named.add({ session: "last", transaction: "b" }, "one");
  assert.deepEqual(named.of({ session: "0", transaction: "b" }), ["one", "two"], "the one that goes on stays");
  assert.deepEqual(named.of({ session: "1", transaction: "b" }), []);
});
