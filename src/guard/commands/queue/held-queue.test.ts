import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf } from "../../../../test/kit/commands-kit.ts";
import { FakeQueue, holdMails, listedMail } from "../../../../test/kit/queue-kit.ts";
import { columnOf } from "../../../../test/kit/test-database.ts";
import { HOUR_MS, MINUTE_MS } from "../../../core/time.ts";
import { forgetGone } from "./held-queue.ts";

const [ANNA, BERT] = ["anna@example.test", "bert@example.test"];

const kit = commandsOf(import.meta.filename);
const queue = new FakeQueue(import.meta.filename, kit);

/** From now on Postfix's queue contains only these mails, on hold. */
function leave(...ids: readonly string[]): void {
  queue.mails = ids.map((id) => listedMail(id, { queue: "hold" }));
}
const noted = () => columnOf(kit.db, "SELECT queue_id FROM held_mail ORDER BY queue_id");
const parts = () => ({ ...kit, accounts: { sendersOf: () => [] } });

test("a list forgets mail that root removed from the queue, but not mail that may still be on its way into it", async () => {
  await holdMails(kit, ANNA, "OLD1", "OLD2");
  kit.clock.advance(1);
  await holdMails(kit, ANNA, "NEW1");
  kit.clock.advance(HOUR_MS);
  leave("OLD1");
  const listed = await kit.result({ verb: "held_list", name: null });
  assert.equal(listed.heldTotal, 1);
  assert.deepEqual(noted(), ["NEW1", "OLD1"]);
});

test("a release does not make the recipients of a mail known that root deleted", async () => {
  await holdMails(kit, ANNA, "GONE", "KEPT");
  kit.clock.advance(HOUR_MS + 1);
  leave("KEPT");
  assert.ok((await kit.ask({ verb: "held_release", name: ANNA })).ok);
  assert.deepEqual(columnOf(kit.db, "SELECT address FROM correspondent"), ["kept@elsewhere.test"]);
});

test("notes of all accounts are compared with the queue, 500 at a time", async () => {
  const ids = Array.from({ length: 501 }, (_, i) => `M${1_000 + i}`);
  await holdMails(kit, ANNA, ...ids);
  await holdMails(kit, BERT, "B1");
  kit.clock.advance(HOUR_MS + MINUTE_MS);
  leave("M1000", "M1500");
  const first = await forgetGone(parts(), "");
  assert.equal(first, "M1498");
  assert.deepEqual(noted(), ["M1000", "M1499", "M1500"]);
  assert.equal(await forgetGone(parts(), first), "M1500");
  assert.equal(await forgetGone(parts(), "M1500"), null);
  assert.deepEqual(noted(), ["M1000", "M1500"]);
});

test("the guard forgets nothing while the queue cannot be read", async () => {
  await holdMails(kit, ANNA, "A1");
  kit.clock.advance(2 * HOUR_MS);
  kit.keeperUp(false);
  assert.equal(await forgetGone(parts(), ""), null);
  assert.deepEqual(noted(), ["A1"]);
});
