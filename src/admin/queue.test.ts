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

test("an entry of the queue has its id, queue, arrival time, sender, recipients, and the reason for the delay", () => {
  assert.deepEqual(parseQueueEntry(JSON.stringify(LINE)), {
    id: "4Wxyz12AbCz1",
    queue: "hold",
    at: 1_790_000_000_000,
    sizeBytes: 512,
    sender: "anna@example.org",
    recipients: [
      { address: "bob@example.net", reason: null },
      { address: "eve@example.net", reason: "later" },
    ],
  });
});

test("the sender of a bounce is empty, and invalid recipients are skipped", () => {
  const bounce = { ...LINE, sender: "MAILER-DAEMON", recipients: [7, { address: 8 }] };
  const entry = parseQueueEntry(JSON.stringify(bounce));
  assert.deepEqual([entry?.sender, entry?.recipients], ["", []]);
});

for (const [what, line] of [
  ["nothing", ""],
  ["an error message", "postqueue: fatal: Queue report unavailable"],
  ["an id that is none", JSON.stringify({ ...LINE, queue_id: "../x" })],
  ["no sender", JSON.stringify({ ...LINE, sender: 7 })],
  ["no time", JSON.stringify({ ...LINE, arrival_time: "now" })],
  ["no recipients", JSON.stringify({ ...LINE, recipients: "bob@example.net" })],
] as const)
  test(`not a valid entry of the queue: ${what}`, () => assert.equal(parseQueueEntry(line), null));
