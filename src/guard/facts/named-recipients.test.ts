import assert from "node:assert/strict";
import { test } from "node:test";
import { NamedRecipients } from "./smtp-sessions.ts";

const FIRST = { session: "203.0.113.7 40000", transaction: "a1.1" };
const SECOND = { ...FIRST, transaction: "a1.2" };
const OTHER = { session: "203.0.113.7 40001", transaction: "a2.1" };

test("the recipients of the mail in flight, without those of an aborted mail", () => {
  const named = new NamedRecipients();
  assert.deepEqual(named.of(SECOND), []);
  named.add(FIRST, "given-up@example.net", "stranger");
  named.add(SECOND, "first@example.net", "stranger");
  named.add(SECOND, "second@example.net", "stranger");
  named.add(OTHER, "other@example.net", "stranger");
  assert.deepEqual(named.of(SECOND), ["first@example.net", "second@example.net"]);
  assert.deepEqual(named.of(FIRST), []);
  named.end(SECOND.session);
  assert.deepEqual(named.of(SECOND), []);
  assert.deepEqual(named.of(OTHER), ["other@example.net"]);
});

test("the memory for recipients and for connections is bounded", () => {
  const named = new NamedRecipients();
  for (let n = 0; n <= 100; n++) named.add(FIRST, `${n}`, "stranger");
  assert.equal(named.of(FIRST).length, 100);
  for (let n = 0; n < 256; n++) named.add({ session: `${n}`, transaction: "b" }, "one", "stranger");
  assert.deepEqual(named.of(FIRST), []);
  assert.deepEqual(named.of({ session: "0", transaction: "b" }), ["one"]);
  named.add({ session: "0", transaction: "b" }, "two", "stranger");
  named.add({ session: "last", transaction: "b" }, "one", "stranger");
  assert.deepEqual(named.of({ session: "0", transaction: "b" }), ["one", "two"], "the active one stays");
  assert.deepEqual(named.of({ session: "1", transaction: "b" }), []);
});

test("counts recipients by kind; recipients that were not named here are unknown", () => {
  const named = new NamedRecipients();
  named.add(FIRST, "a@example.org", "own");
  named.add(FIRST, "b@example.net", "written");
  named.add(FIRST, "c@example.net", "stranger");
  assert.deepEqual(named.counts(FIRST, null), { recipients: 3, written: 1, strangers: 1 });
  assert.deepEqual(named.counts(FIRST, 3), { recipients: 3, written: 1, strangers: 1 });
  assert.deepEqual(named.counts(FIRST, 5), { recipients: 5, written: 1, strangers: 3 }, "as after a restart");
  assert.deepEqual(named.counts(SECOND, null), { recipients: 0, written: 0, strangers: 0 });
  assert.deepEqual(named.counts(SECOND, 2), { recipients: 2, written: 0, strangers: 2 });
});

test("a held mail stays held until it ends, and the next one in its connection is separate", () => {
  const named = new NamedRecipients();
  named.hold(FIRST);
  assert.equal(named.isHeld(FIRST), false, "no recipient was named");
  named.add(FIRST, "a@example.net", "stranger");
  named.hold(FIRST);
  assert.deepEqual([named.isHeld(FIRST), named.isHeld(SECOND)], [true, false]);
  named.add(SECOND, "a@example.net", "stranger");
  assert.deepEqual([named.isHeld(FIRST), named.isHeld(SECOND)], [false, false]);
});

test("a recipient that will be decided again is not counted twice", () => {
  const named = new NamedRecipients();
  named.takeBack(FIRST, "nobody@example.net");
  named.add(FIRST, "friend@example.net", "written");
  named.add(FIRST, "eve@example.net", "stranger");
  named.takeBack(FIRST, "friend@example.net");
  assert.deepEqual(named.counts(FIRST, null), { recipients: 2, written: 1, strangers: 1 }, "not the last");
  named.takeBack(FIRST, "eve@example.net");
  named.takeBack(FIRST, "eve@example.net");
  assert.deepEqual(named.counts(FIRST, null), { recipients: 1, written: 1, strangers: 0 });
  assert.deepEqual(named.of(FIRST), ["friend@example.net"]);
});
