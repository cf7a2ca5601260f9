import assert from "node:assert/strict";
import { test } from "node:test";
import { DRY_VERBS } from "../../../../test/kit/dry-verbs.ts";
import { isDryRunOnQueue, isOnQueue } from "./web-bounds.ts";

test("a suspension reads the queue without waiting for other commands; its dry run waits, like all commands on the queue", () => {
  const onQueue = DRY_VERBS.filter((verb) => /^(queue|held)_/.test(verb));
  assert.deepEqual(DRY_VERBS.filter(isOnQueue), onQueue);
  assert.deepEqual(DRY_VERBS.filter(isDryRunOnQueue).toSorted(), ["account_suspend", ...onQueue].toSorted());
  assert.ok(isOnQueue("queue_list"));
});
