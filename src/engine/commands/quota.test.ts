import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { commandsOnMemory, HASH } from "../../../test/kit/commands-kit.ts";

const NAME = "alice@example.test";

let kit: ReturnType<typeof commandsOnMemory>;
beforeEach(async () => {
  kit = commandsOnMemory();
  await kit.ask({ verb: "account_add", name: NAME, hash: HASH });
});

function setQuota(quotaBytes: number | null, name = NAME) {
  return kit.ask({ verb: "quota_set", name, quotaBytes });
}

test("an account gets a quota, no limit or the default again; each is on record, and no session ends", async () => {
  assert.deepEqual(await setQuota(1024 ** 3), { ok: true, result: { name: NAME, quotaBytes: 1024 ** 3 } });
  const listed = () => kit.lists.accounts({ limit: 9, cursor: null }).items.map(({ quotaBytes }) => quotaBytes);
  assert.deepEqual(listed(), [1024 ** 3]);
  await setQuota(0);
  await setQuota(null);
  assert.deepEqual(listed(), [null]);
  assert.deepEqual(kit.details().slice(1), [
    `${NAME} to 1GB by root`,
    `${NAME} to no limit by root`,
    `${NAME} to the default by root`,
  ]);
  assert.deepEqual(kit.types().slice(1), ["QUOTA_CHANGED", "QUOTA_CHANGED", "QUOTA_CHANGED"]);
  assert.deepEqual(kit.kept(), []);
});

test("an account that does not exist has no quota", async () => {
  const reply = await setQuota(1, "nobody@example.test");
  assert.ok(!reply.ok && reply.kind === "failed" && reply.next.includes("account list"));
  const nonsense = await setQuota(1, "nonsense");
  assert.ok(!nonsense.ok && nonsense.kind === "usage");
});

test("who asked is told where no record was kept", async () => {
  kit.fillDisk();
  const unrecorded = await setQuota(1);
  assert.ok(!unrecorded.ok && /no record of it was kept/.test(unrecorded.message));
});
