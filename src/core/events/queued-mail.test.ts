import assert from "node:assert/strict";
import { test } from "node:test";
import { bareMessageId, isQueueId } from "./queued-mail.ts";

test("short and long queue ids are recognised, other words are not", () => {
  for (const id of ["72CED1EABE5", "4ZzQ0v1Jc3z9Xk2", "4ZzQ0v1Jc3zD6H2bfJHqTw8"]) assert.ok(isQueueId(id), id);
  for (const id of ["", "NO", "a@b.test", "<72CED1EABE5>", "72CED1EABE5 x"]) assert.ok(!isQueueId(id), id);
});

test("a Message-ID is the same with its angle brackets and without", () => {
  assert.equal(bareMessageId("<a@b.test>"), "a@b.test");
  assert.equal(bareMessageId("a@b.test"), "a@b.test");
  assert.equal(bareMessageId("<a@b.test"), "<a@b.test");
});
