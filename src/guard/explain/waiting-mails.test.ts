import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsOf, type Row } from "../../../test/kit/event-rows.ts";
import { NOON } from "../../../test/kit/samples.ts";
import type { EventItem } from "../../admin/declare/items.ts";
import { HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { waitingMails } from "./waiting-mails.ts";

/** A page at a time, as the database gives them. */
const queriesOf = (rows: readonly Row[], longest = 2) => {
  const ofOne = rows.map((row) => ({ ip: "203.0.113.7", ...row }));
  return eventsOf(ofOne, longest);
};

const ANNA = "anna@example.test";

function asked(minute: number, sender: string, more: Partial<EventItem> = {}): Row {
  return { type: "GREYLIST_ASKED", reason: "greylist_asked", minute, sender, recipient: ANNA, ...more };
}

test("a deferred mail that was not retried waits since its first try; newest first", () => {
  const hostile = '"<script>"@stranger.test';
  const queries = queriesOf([
    asked((-6 * HOUR_MS) / MINUTE_MS, "a@stranger.test"),
    asked(-50, hostile),
    asked(-40, "A@stranger.test", { ip: "203.0.113.8" }),
    { ...asked(-30, "c@stranger.test"), type: "EMAIL_DEFERRED", reason: "first_contacts_deferred" },
  ]);
  const { items, total, complete } = waitingMails(queries, NOON);
  const all = items.map(({ sender, waitsFor, tries, since, ip }) => [sender, waitsFor, tries, since.slice(11, 16), ip]);
  assert.deepEqual(all, [
    ["c@stranger.test", "crowd", 1, "11:30", "203.0.113.7"],
    ["A@stranger.test", "retry", 2, "06:00", "203.0.113.8"],
    [hostile, "retry", 1, "11:10", "203.0.113.7"],
  ]);
  assert.deepEqual([total, complete], [3, true]);
});

test("a retried or refused mail no longer waits; a later one does, and other senders' mails still wait", () => {
  const queries = queriesOf([
    asked(-90, "in@stranger.test"),
    asked(-89, "in@stranger.test", { recipient: "bert@example.test" }),
    { type: "EMAIL_ACCEPTED", minute: -80, sender: "in@stranger.test", recipient: ANNA },
    asked(-70, "out@stranger.test"),
    { type: "EMAIL_BLOCKED", minute: -60, sender: "out@stranger.test", recipient: ANNA },
    asked(-50, "many@stranger.test"),
    { type: "EMAIL_ACCEPTED", minute: -45, sender: "many@stranger.test" },
    asked(-40, "in@stranger.test", { recipient: "carl@example.test" }),
    asked(-30, "in@stranger.test"),
    { type: "EMAIL_ACCEPTED", minute: -20, sender: "in@stranger.test", recipient: ANNA },
  ]);
  const waiting = waitingMails(queries, NOON);
  const mails = waiting.items.map(({ sender, recipient }) => `${sender} ${recipient}`);
  assert.deepEqual(mails, ["in@stranger.test carl@example.test", "in@stranger.test bert@example.test"]);
});

test("an old, hidden or simulated deferral, or one for a different reason, does not count as greylisting", () => {
  const queries = queriesOf([
    asked((-6 * HOUR_MS) / MINUTE_MS - 1, "old@stranger.test"),
    asked(-9, "hidden@stranger.test", { reason: "recipient_hidden" }),
    asked(-8, "trial@stranger.test", { simulated: "defer" }),
    { ...asked(-7, "full@stranger.test"), type: "EMAIL_DEFERRED", reason: "mailbox_full" },
  ]);
  assert.deepEqual(waitingMails(queries, NOON), { items: [], total: 0, complete: true });
});

test("shows a hundred, counts all, and says if there are too many events", () => {
  const many = (count: number) => {
    const rows = Array.from({ length: count }, (_, i) => asked(-1, `${i}@stranger.test`));
    return waitingMails(queriesOf(rows, count), NOON);
  };
  assert.partialDeepStrictEqual(many(150), { total: 150, complete: true });
  assert.equal(many(150).items.length, 100);
  assert.partialDeepStrictEqual(many(2_500), { total: 2_000, complete: false });
});
