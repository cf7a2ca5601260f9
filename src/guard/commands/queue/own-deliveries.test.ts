import assert from "node:assert/strict";
import { test } from "node:test";
import { listedMail } from "../../../../test/kit/queue-kit.ts";
import type { KeeperCommand, KeeperReply, ListedMail } from "../../../admin/declare/keeper.ts";
import { OwnDeliveries } from "./queue-upkeep.ts";

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
  const deliveries = new OwnDeliveries({
    keeper: {
      ask: (command) => {
        asked.push(command);
        return Promise.resolve(answer(command));
      },
    },
    domains: () => ["example.test"],
    log: { info: () => undefined, warn: (_, fields) => said.push(String(fields?.["why"])), error: () => assert.fail() },
  });
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
  assert.deepEqual(await setUp(QUEUE.slice(1, 2)).look("812", "812"), [], "naming no mail would mean all");
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
