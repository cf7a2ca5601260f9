import assert from "node:assert/strict";
import { test } from "node:test";
import { parseQueueEntry } from "./queue.ts";

const LINE = {
  queue_name: "hold",
  queue_id: "4Wxyz12AbCz1",
  arrival_time: 1_790_000_000,
  message_size: 512,
  forced_expire: false,
  sender: "anna@example.org",
  recipients: [{ address: "bob@example.net" }, { address: "eve@example.net", delay_reason: "later" }],
};

test("an entry of the queue tells its id, whether it is held, when it came, from whom and for how many", () => {
  const entry = { id: "4Wxyz12AbCz1", isHeld: true, at: 1_790_000_000_000, sender: "anna@example.org", recipients: 2 };
  assert.deepEqual(parseQueueEntry(JSON.stringify(LINE)), entry);
  assert.equal(parseQueueEntry(JSON.stringify({ ...LINE, queue_name: "active" }))?.isHeld, false);
});

for (const [what, line] of [
  ["nothing", ""],
  ["an error message", "postqueue: fatal: Queue report unavailable"],
  ["an id that is none", JSON.stringify({ ...LINE, queue_id: "../x" })],
  ["no sender", JSON.stringify({ ...LINE, sender: 7 })],
  ["no time", JSON.stringify({ ...LINE, arrival_time: "now" })],
  ["no recipients", JSON.stringify({ ...LINE, recipients: "bob@example.net" })],
] as const)
  test(`no entry of the queue: ${what}`, () => assert.equal(parseQueueEntry(line), null));
