import assert from "node:assert/strict";
import { test } from "node:test";
import { Feed } from "./commits.ts";

test("a listener gets each newest event once, until it unsubscribes", () => {
  const feed = new Feed();
  const heard: number[] = [];
  const stop = feed.subscribe((id) => heard.push(id));
  for (const id of [1, 3, 3, 4]) feed.publish(id);
  stop();
  feed.publish(5);
  assert.deepEqual(heard, [1, 3, 4]);
});
