import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf } from "../../../../test/kit/commands-kit.ts";
import { beforeEachOf } from "../../../../test/kit/hooks.ts";
import { holdMails } from "../../../../test/kit/queue-kit.ts";
import type { QueuedMail } from "../../../admin/declare/keeper.ts";
import { HOUR_MS, MINUTE_MS } from "../../../core/time.ts";
import { forgetGone } from "./held-queue.ts";

const [ANNA, BERT] = ["anna@example.test", "bert@example.test"];

const kit = commandsOf(import.meta.filename);
/** The mail on hold in Postfix's queue. */
let there: ReadonlySet<string>;
beforeEachOf(import.meta.filename, () => {
  there = new Set();
  kit.queues(({ ids, onHold }) => (onHold ? ids.filter((id) => there.has(id)).map(mail) : []));
});

function mail(id: string): QueuedMail {
  return { id, isHeld: true, at: 0, recipients: 1 };
}

async function note(account: string, ...ids: readonly string[]): Promise<void> {
  await holdMails(kit, account, ...ids);
  there = new Set([...there, ...ids]);
}
const noted = (): readonly string[] =>
  kit.heldMail
    .held(null)
    .map(({ queueId }) => queueId)
    .toSorted();
const parts = () => ({ ...kit, accounts: { sendersOf: () => [] } });

test("a list forgets mail that root removed from the queue, but not mail that may still be on its way into it", async () => {
  await note(ANNA, "OLD1", "OLD2");
  kit.clock.advance(HOUR_MS + 1);
  await note(ANNA, "NEW1");
  there = new Set(["OLD1"]);
  const listed = await kit.result({ verb: "held_list", name: null });
  assert.equal(listed.heldTotal, 1);
  assert.deepEqual(noted(), ["NEW1", "OLD1"]);
});

test("a release does not make the recipients of a mail known that root deleted", async () => {
  await note(ANNA, "GONE", "KEPT");
  kit.clock.advance(HOUR_MS + 1);
  there = new Set(["KEPT"]);
  assert.ok((await kit.ask({ verb: "held_release", name: ANNA })).ok);
  const known = kit.db.prepare("SELECT address FROM correspondent").all();
  assert.deepEqual(
    known.map(({ address }) => address),
    ["kept@elsewhere.test"],
  );
});

test("notes of all accounts are compared with the queue, 500 at a time", async () => {
  const ids = Array.from({ length: 501 }, (_, i) => `M${1_000 + i}`);
  await note(ANNA, ...ids);
  await note(BERT, "B1");
  kit.clock.advance(HOUR_MS + MINUTE_MS);
  there = new Set(["M1000", "M1500"]);
  const first = await forgetGone(parts(), "");
  assert.equal(first, "M1498");
  assert.deepEqual(noted(), ["M1000", "M1499", "M1500"]);
  assert.equal(await forgetGone(parts(), first), "M1500");
  assert.equal(await forgetGone(parts(), "M1500"), null);
  assert.deepEqual(noted(), ["M1000", "M1500"]);
});

test("the guard forgets nothing while the queue cannot be read", async () => {
  await note(ANNA, "A1");
  kit.clock.advance(2 * HOUR_MS);
  there = new Set();
  kit.keeperUp(false);
  assert.equal(await forgetGone(parts(), ""), null);
  assert.deepEqual(noted(), ["A1"]);
});
