import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, OWNER } from "../../../../test/kit/commands-kit.ts";

const GB = 1024 ** 3;
const NAME = "alice@example.test";

const kit = commandsOf(import.meta.filename, NAME);

function setQuota(quotaBytes: number | null) {
  return kit.ask({ verb: "quota_set", name: NAME, quotaBytes });
}

test("an account gets a quota, no limit or the default again; each change is recorded, and no session ends", async () => {
  assert.deepEqual(await setQuota(GB), { ok: true, result: { name: NAME, quotaBytes: GB } });
  const listed = () => kit.book.accounts({ limit: 9, cursor: null }).items.map(({ quotaBytes }) => quotaBytes);
  assert.deepEqual(listed(), [GB]);
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

test("the web cannot set a quota too small for the mailbox to receive mail", async () => {
  kit.signIn(OWNER);
  const isTaken = async (quotaBytes: number | null): Promise<boolean> =>
    (await kit.ask({ verb: "quota_set", name: NAME, quotaBytes }, "web", OWNER)).ok;
  for (const quotaBytes of [1, 10 * 1024 * 1024 - 1]) assert.equal(await isTaken(quotaBytes), false);
  for (const quotaBytes of [0, null, 10 * 1024 * 1024]) assert.equal(await isTaken(quotaBytes), true);
  assert.partialDeepStrictEqual(await setQuota(1), { ok: true }, "root may");
});

test("the web cannot lower the quota of the mailbox that gets the alerts", async () => {
  kit.signIn(OWNER);
  kit.sendsAlertsTo([NAME]);
  await setQuota(2 * GB);
  const answer = async (quotaBytes: number | null) => {
    const reply = await kit.ask({ verb: "quota_set", name: NAME, quotaBytes }, "web", OWNER);
    return reply.ok ? "taken" : reply.message;
  };
  const stays = "This mailbox gets the alerts of the server: its quota can be lowered only on the server.";
  assert.equal(await answer(GB), stays);
  assert.equal(await answer(null), stays, "the default of the settings is smaller");
  for (const quotaBytes of [2 * GB, 3 * GB, 0]) assert.equal(await answer(quotaBytes), "taken");
  assert.equal(await answer(3 * GB), stays, "from no limit");
  assert.partialDeepStrictEqual(await setQuota(1), { ok: true }, "root may");
});
