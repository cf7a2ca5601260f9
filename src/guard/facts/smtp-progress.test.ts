import assert from "node:assert/strict";
import { test } from "node:test";
import { MAIL, NOON, RECIPIENT } from "../../../test/kit/samples.ts";
import type { Verdict } from "../../core/decide/decision.ts";
import type { ClientEvent } from "../../core/events/event.ts";
import { later, MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { SmtpProgress } from "./smtp-sessions.ts";

const CONNECT: ClientEvent = {
  type: "CONNECT",
  ip: MAIL.ip,
  service: "smtp",
  session: MAIL.session,
  clientName: null,
};
const DATA: ClientEvent = { type: "MAIL", recipientCount: 1, ...MAIL };
const MESSAGE: ClientEvent = { type: "MESSAGE", recipientCount: 1, sizeBytes: 1, ...MAIL };

const CONNECTION = "203.0.113.7 40000 25";

/** Events one second apart; returns the known progress this much later. */
function progress(events: readonly (readonly [ClientEvent, Verdict])[], afterMs = 0) {
  const seen = new SmtpProgress();
  for (const [i, [event, verdict]] of events.entries()) seen.follow(event, verdict, later(NOON, i * SECOND_MS));
  const last = (events.length - 1) * SECOND_MS;
  const found = seen.of(CONNECTION, later(NOON, last + afterMs));
  return found === null ? null : { atMs: found.at - NOON, isTransferring: found.isTransferring };
}

test("a connection without events has no progress", () => {
  assert.equal(new SmtpProgress().of(CONNECTION, NOON), null);
});

test("the first accepted recipient is progress; a refused one is not, nor is a second", () => {
  assert.deepEqual(
    progress([
      [CONNECT, "pass"],
      [RECIPIENT, "refuse"],
    ]),
    { atMs: 0, isTransferring: false },
  );
  assert.deepEqual(
    progress([
      [CONNECT, "pass"],
      [RECIPIENT, "pass"],
    ]),
    { atMs: 1_000, isTransferring: false },
  );
  const twice = [
    [CONNECT, "pass"],
    [RECIPIENT, "pass"],
    [RECIPIENT, "pass"],
  ] as const;
  assert.deepEqual(progress(twice), { atMs: 1_000, isTransferring: false });
});

test("a transfer counts for at most ten minutes, and for a minute after its end", () => {
  const started = [
    [CONNECT, "pass"],
    [RECIPIENT, "pass"],
    [DATA, "pass"],
  ] as const;
  assert.deepEqual(progress(started, 10 * MINUTE_MS - 1), { atMs: 2_000, isTransferring: true });
  assert.deepEqual(progress(started, 10 * MINUTE_MS), { atMs: 2_000, isTransferring: false });
  const ended = [...started, [MESSAGE, "pass"]] as const;
  assert.deepEqual(progress(ended, MINUTE_MS - 1), { atMs: 3_000, isTransferring: true });
  assert.deepEqual(progress(ended, MINUTE_MS), { atMs: 3_000, isTransferring: false });
});

test("refused DATA is not progress", () => {
  assert.deepEqual(
    progress([
      [CONNECT, "pass"],
      [DATA, "defer"],
    ]),
    { atMs: 0, isTransferring: false },
  );
});
