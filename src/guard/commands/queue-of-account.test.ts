import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOnMemory, HASH } from "../../../test/kit/commands-kit.ts";
import { ip, MAIL } from "../../../test/kit/samples.ts";
import type { ListedMail } from "../../admin/declare/keeper.ts";
import { BEFORE_ALL_MAIL } from "../../admin/declare/paging.ts";

const [ANNA, BERT, INFO] = ["anna@example.test", "bert@example.test", "info@example.test"];
const ANNAS = { ids: [], account: ANNA, sender: null, recipient: null, isAll: false } as const;

async function started() {
  const kit = commandsOnMemory();
  for (const name of [ANNA, BERT]) assert.ok((await kit.ask({ verb: "account_create_hashed", name, hash: HASH })).ok);
  return kit;
}

test("an account includes what it sent from an address shared with other accounts", async () => {
  const kit = await started();
  assert.ok((await kit.ask({ verb: "alias_add", address: INFO, targets: [ANNA, BERT] })).ok);
  for (const account of [ANNA, BERT]) {
    const queueId = account === ANNA ? "AAAA1" : "BBBB1";
    const sent = { ...MAIL, ip: ip("203.0.113.7"), account, sender: INFO, queueId, session: queueId };
    const recipient = "x@elsewhere.test";
    const asked = { ...sent, type: "MAIL", recipientCount: 1, recipient, transaction: queueId } as const;
    assert.equal((await kit.engine.ask(asked)).verdict, "pass");
  }
  const usual = { queue: "deferred", at: 1, sizeBytes: 1, sender: INFO, nextTryAt: null, recipientCount: 0 };
  const queue: readonly ListedMail[] = ["AAAA1", "BBBB1"].map((id) => ({ id, ...usual, recipients: [] }));
  kit.listsQueue(({ senders, beside = [] }) => ({
    queue: queue.filter(({ id, sender }) => senders.some((one) => one === sender) || beside.includes(id)),
  }));
  assert.ok((await kit.ask({ verb: "queue_hold", ...ANNAS, cursor: null })).ok);
  assert.deepEqual(kit.asked.at(-1), { verb: "hold_mail", ids: ["AAAA1"] });
});

test("from the cursor before all mail, an empty result succeeds", async () => {
  const kit = await started();
  const none = await kit.ask({ verb: "queue_hold", ...ANNAS, cursor: null });
  assert.ok(!none.ok && none.message === "No such mail waits in the queue.");
  const result = { changed: 0, kept: [], next: null };
  assert.deepEqual(await kit.ask({ verb: "queue_hold", ...ANNAS, cursor: BEFORE_ALL_MAIL }), { ok: true, result });
  kit.keeperUp(false);
  assert.equal((await kit.ask({ verb: "queue_hold", ...ANNAS, cursor: BEFORE_ALL_MAIL })).ok, false);
});
