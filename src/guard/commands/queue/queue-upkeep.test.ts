import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf } from "../../../../test/kit/commands-kit.ts";
import { SILENT } from "../../../../test/kit/engine-kit.ts";
import { beforeEachOf } from "../../../../test/kit/hooks.ts";
import { fakeQueue, holdMails, listedMail } from "../../../../test/kit/queue-kit.ts";
import { accountName } from "../../../../test/kit/samples.ts";
import { settled } from "../../../../test/kit/until.ts";
import type { KeeperCommand, KeeperReply, ListedMail } from "../../../admin/declare/keeper.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../../core/time.ts";
import type { Log } from "../../ports.ts";
import { createOwnDeliveries } from "./queue-upkeep.ts";

const ANNA = accountName("anna@example.test");
const BERT = accountName("bert@example.test");

const kit = commandsOf(import.meta.filename, ANNA, BERT);
const queue = fakeQueue(import.meta.filename, kit);
beforeEachOf(import.meta.filename, () => {
  queue.mails = [ANNA, BERT].map((sender) => listedMail(sender.slice(0, 4).toUpperCase(), { sender }));
});
async function heldAfter(ms: number): Promise<readonly string[]> {
  kit.clock.advance(ms);
  await kit.upkeep.round();
  return queue.onHold();
}
const notedIds = (): readonly string[] => kit.heldMail.held(null).map(({ queueId }) => queueId);

/** Both accounts, while the keeper is down: their mail is not on hold yet. */
async function suspend(): Promise<void> {
  kit.given.keeperUp = false;
  for (const name of [ANNA, BERT]) await kit.ask({ verb: "account_suspend", name });
  kit.asked.splice(0);
  kit.given.keeperUp = true;
}

test("queued mail of suspended accounts is held at once, and noted", async () => {
  await suspend();
  kit.upkeep.holdSoon(ANNA);
  kit.upkeep.holdSoon(BERT);
  await settled();
  assert.deepEqual(queue.onHold(), ["ANNA", "BERT"]);
  assert.deepEqual(queue.ordered("hold_mail"), [["ANNA"], ["BERT"]]);
  assert.deepEqual(notedIds().toSorted(), ["ANNA", "BERT"]);
  kit.store.failing = "commit";
  kit.upkeep.holdSoon(ANNA);
  await settled();
  assert.deepEqual(kit.logged, [], "nothing needed a note");
});

test("a suspension holds queued mail even if sessions stay open or the disk is full, and later if the keeper is down", async () => {
  kit.replies.set("kick_account", { ok: false, reason: "doveadm kick failed" });
  assert.match(await kit.said({ verb: "account_suspend", name: ANNA }), /not ended: doveadm kick failed/);
  assert.deepEqual(queue.onHold(), ["ANNA"]);
  kit.replies.clear();
  kit.given.keeperUp = false;
  assert.match(await kit.said({ verb: "account_suspend", name: BERT }), /not ended: no answer/);
  kit.given.keeperUp = true;
  assert.deepEqual(await heldAfter(30 * SECOND_MS), ["ANNA", "BERT"]);
  queue.mails = [listedMail("NEXT", { sender: ANNA })];
  kit.fillDisk();
  const unrecorded = /^failed anna@\S+ is suspended, but .* not recorded/;
  assert.match(await kit.said({ verb: "account_suspend", name: ANNA }), unrecorded);
  assert.deepEqual(queue.onHold(), ["NEXT"]);
});

test("a suspension holds mail while the keeper still ends sessions", async () => {
  queue.before(1, "kick_account", () => new Promise(() => undefined));
  void kit.ask({ verb: "account_suspend", name: ANNA });
  await settled();
  assert.deepEqual(queue.onHold(), ["ANNA"]);
});

test("retries each minute while the keeper is down, except for an account that was resumed", async () => {
  await suspend();
  kit.given.keeperUp = false;
  for (const name of [ANNA, BERT]) {
    kit.upkeep.holdSoon(name);
    await settled();
  }
  assert.equal(kit.logged.length, 2);
  kit.given.keeperUp = true;
  assert.ok((await kit.ask({ verb: "account_resume", name: BERT })).ok);
  assert.deepEqual(await heldAfter(MINUTE_MS - SECOND_MS), []);
  assert.deepEqual(await heldAfter(SECOND_MS), ["ANNA"]);
  assert.deepEqual(await heldAfter(MINUTE_MS), ["ANNA"]);
});

test("an account whose mail cannot be held does not delay the others", async () => {
  await suspend();
  const { ask } = kit.keeper;
  kit.keeper.ask = (order) =>
    order.verb === "find_mail" && order.senders.includes(ANNA)
      ? Promise.resolve({ ok: false, reason: "" })
      : ask(order);
  for (const name of [ANNA, BERT]) kit.upkeep.holdSoon(name);
  await settled();
  assert.deepEqual(await heldAfter(MINUTE_MS), ["BERT"]);
});

test("a suspended account that is resumed while its mail is searched for does not delay the others", async () => {
  await suspend();
  queue.before(1, "find_mail", async () => void (await kit.ask({ verb: "account_resume", name: ANNA })));
  assert.deepEqual(await heldAfter(30 * SECOND_MS), ["BERT"]);
  assert.deepEqual(kit.logged, []);
});

test("mail whose milters answer after the suspension is held too, but no mail that the owner has released", async () => {
  assert.ok((await kit.ask({ verb: "account_suspend", name: ANNA })).ok);
  assert.deepEqual(queue.onHold(), ["ANNA"]);
  queue.mails = [listedMail("ANNA", { sender: ANNA }), listedMail("LATE", { sender: ANNA })];
  assert.deepEqual(await heldAfter(29 * SECOND_MS), []);
  assert.deepEqual(await heldAfter(SECOND_MS), ["LATE"]);
  queue.mails = ["ANNA", "LATE", "LAST", "OURS"].map((id) => listedMail(id, { sender: id === "OURS" ? BERT : ANNA }));
  assert.deepEqual(await heldAfter(279 * SECOND_MS), []);
  assert.deepEqual(await heldAfter(SECOND_MS), ["LAST"]);
  queue.mails = [listedMail("NEXT", { sender: ANNA })];
  assert.deepEqual(await heldAfter(10 * MINUTE_MS), []);
});

test("mail that root had put on hold before, and has released since, is not held again", async () => {
  const id = "72CED1EABE5";
  queue.mails = [listedMail(id, { sender: ANNA })];
  const all = { account: null, sender: null, recipient: null, isAll: false, cursor: null } as const;
  assert.ok((await kit.ask({ verb: "queue_hold", ids: [id], ...all })).ok);
  assert.ok((await kit.ask({ verb: "account_suspend", name: ANNA })).ok);
  assert.deepEqual(queue.onHold(), [id]);
  queue.mails = [listedMail(id, { sender: ANNA })];
  assert.deepEqual(await heldAfter(30 * SECOND_MS), []);
});

test("compares the notes with the queue once an hour", async () => {
  await holdMails(kit, ANNA, "GONE");
  await heldAfter(SECOND_MS);
  kit.clock.advance(SECOND_MS);
  await holdMails(kit, ANNA, "ALSO");
  const notedAfter = async (ms: number) => {
    await heldAfter(ms);
    return notedIds();
  };
  assert.deepEqual(await notedAfter(HOUR_MS - 2 * SECOND_MS), ["ALSO", "GONE"]);
  assert.deepEqual(await notedAfter(SECOND_MS), ["ALSO"]);
  assert.deepEqual(await notedAfter(2 * SECOND_MS), ["ALSO"], "it waits for the next hour");
});

test("an error is logged, and the next round runs", async (t) => {
  await suspend();
  const noted = t.mock.method(kit.heldMail, "held", () => assert.fail("disk I/O error"));
  kit.upkeep.holdSoon(ANNA);
  await settled();
  assert.deepEqual(kit.logged, ["Upkeep of the mail queue failed; the guard retries."]);
  noted.mock.restore();
  await kit.upkeep.round();
  assert.deepEqual(queue.onHold(), ["ANNA"]);
});

function mail(id: string, ...addresses: readonly string[]): ListedMail {
  const recipients = addresses.map((address) => ({ address, reason: null }));
  return listedMail(id, { recipientCount: recipients.length, recipients });
}

function setUp(queue: readonly ListedMail[]) {
  const asked: KeeperCommand[] = [];
  const said: string[] = [];
  let refusal: string | null = null;
  const answer = (command: KeeperCommand): KeeperReply => {
    if (refusal !== null) return { ok: false, reason: refusal };
    if (command.verb !== "list_mail") return { ok: true, detail: "" };
    const from = command.after === null ? 0 : queue.findIndex(({ id }) => id === command.after?.id) + 1;
    return { ok: true, detail: "", queue: queue.slice(from, from + command.limit) };
  };
  const ask = (command: KeeperCommand) => {
    asked.push(command);
    return Promise.resolve(answer(command));
  };
  const log: Log = { ...SILENT, warn: (_, fields) => said.push(String(fields?.["why"])), error: () => assert.fail() };
  const deliveries = createOwnDeliveries({ keeper: { ask }, domains: () => ["example.test"], log });
  const look = async (...ready: readonly (string | null)[]): Promise<readonly (readonly string[])[]> => {
    asked.length = 0;
    for (const one of ready) await deliveries.look(one);
    return asked.flatMap((command) => (command.verb === "flush_mail" ? [command.ids] : []));
  };
  const refuse = (why: string | null) => (refusal = why);
  return { look, asked, said, refuse, reloaded: () => deliveries.reloaded() };
}

const QUEUE = [
  mail("AAAAA", "anna@Example.test"),
  mail("BBBBB", "x@other.test"),
  mail("CCCCC", "x@other.test", "b@example.test"),
];

test("retries deferred mail for local mailboxes, and no other mail, once after each time that Dovecot did not accept it", async () => {
  const { look, asked, reloaded } = setUp(QUEUE);
  assert.deepEqual(await look("812"), [], "Dovecot has just started");
  assert.deepEqual(await look("812"), [["AAAAA", "CCCCC"]]);
  assert.deepEqual(await setUp(QUEUE.slice(0, 1)).look("812", "812"), [["AAAAA"]]);
  assert.deepEqual(await setUp(QUEUE.slice(1, 2)).look("812", "812"), [], "an order without ids would mean all mail");
  assert.deepEqual(await look("812", "812", "812"), []);
  assert.equal(asked.length, 0, "the queue is not read unnecessarily");
  assert.deepEqual(await look(null, "812"), []);
  assert.deepEqual(await look("812"), [["AAAAA", "CCCCC"]], "it had been down, or the disk full");
  assert.deepEqual(await look("900", "900"), [["AAAAA", "CCCCC"]], "it was restarted between two checks");
  reloaded();
  assert.deepEqual(await look("900", "900"), [["AAAAA", "CCCCC"]], "it has reloaded its settings");
});

test("a queue of many mails is read page by page, up to the first 10,000", async () => {
  for (const [count, pages] of [
    [1_200, [500, 500, 200]],
    [10_001, Array.from({ length: 20 }, () => 500)],
  ] as const) {
    const { look } = setUp(Array.from({ length: count }, (_, i) => mail(`Q${i + 10_000}`, "anna@example.test")));
    const lengths = (await look("812", "812")).map(({ length }) => length);
    assert.deepEqual(lengths, pages);
  }
});

test("a keeper that refuses is asked again", async () => {
  const { look, said, refuse } = setUp(QUEUE);
  refuse("It did not answer.");
  assert.deepEqual(await look("812", "812"), []);
  assert.deepEqual(said, ["It did not answer."]);
  refuse(null);
  assert.deepEqual(await look("812"), [["AAAAA", "CCCCC"]]);
});
