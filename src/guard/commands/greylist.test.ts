import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, refusalOf } from "../../../test/kit/commands-kit.ts";
import { accountsOnMemory } from "../../../test/kit/engine-kit.ts";
import { mailAddress } from "../../../test/kit/samples.ts";
import { HOUR_MS } from "../../core/time.ts";
import { GREYLIST_RUNS } from "./greylist.ts";

const OWNER = "owner@example.test";

const kit = commandsOf(import.meta.filename);

const pause = (recipient: string, lasts: string | null) => kit.ask({ verb: "greylist_pause", recipient, for: lasts });

async function listed(): Promise<readonly string[]> {
  const { items } = await kit.result({ verb: "greylist_list", limit: 50, cursor: null });
  return items.map(({ target, until, by }) => `${target} ${until.slice(11, 19)} ${by}`);
}

test("a pause lasts a quarter of an hour by default, and a longer one replaces it", async () => {
  assert.equal((await pause("Owner@example.test", null)).ok, true);
  assert.deepEqual(await listed(), ["owner@example.test 00:15:00 root"]);
  assert.equal((await pause(OWNER, "2h")).ok, true);
  assert.deepEqual(await listed(), ["owner@example.test 02:00:00 root"]);
  kit.clock.advance(2 * HOUR_MS);
  assert.deepEqual(await listed(), []);
});

test("a shorter pause keeps the longer one; a user of the mailbox can extend the administrator's, but not end it", async () => {
  const pauses = accountsOnMemory(kit.db).correspondents;
  const parts = { ...kit, pauses, recipients: { exists: () => true } };
  const [recipient, user] = [mailAddress(OWNER), `mailbox:${OWNER} via 203.0.113.9`];
  const pauseBy = (lasts: string | null, by: string) =>
    GREYLIST_RUNS.greylist_pause(parts, { verb: "greylist_pause", recipient, for: lasts }, by);
  const resumeBy = (by: string) => GREYLIST_RUNS.greylist_resume(parts, { verb: "greylist_resume", recipient }, by);
  await pauseBy("2h", "root");
  for (const lasts of [null, "2h", "3h"])
    assert.partialDeepStrictEqual(await pauseBy(lasts, user), { ok: true, result: { by: "root" } });
  assert.deepEqual(await listed(), ["owner@example.test 03:00:00 root"]);
  assert.match(refusalOf(await resumeBy(user)), /The administrator made this pause/);
  assert.deepEqual(await listed(), ["owner@example.test 03:00:00 root"]);
  assert.equal((await resumeBy("web:anna")).ok, true);
  await pauseBy(null, user);
  assert.equal((await resumeBy(user)).ok, true, "their own");
});

for (const target of ["nobody@example.test", "owner@elsewhere.test"])
  test(`no pause for ${target}`, async () => {
    const reply = await pause(target, "15m");
    assert.partialDeepStrictEqual(reply, { kind: "failed" });
    assert.match(refusalOf(reply), /^[^\n]+\.$/);
    assert.deepEqual(await listed(), []);
  });

test("a pause can be ended once, and both are recorded in the audit", async () => {
  await pause(OWNER, "1h");
  const resume = () => kit.ask({ verb: "greylist_resume", recipient: OWNER });
  assert.equal((await resume()).ok, true);
  assert.deepEqual(await listed(), []);
  assert.partialDeepStrictEqual(await resume(), { ok: false, kind: "failed" });
  assert.deepEqual(kit.recorded(/./), [
    "GREYLIST_PAUSED owner@example.test for 1h by root",
    "GREYLIST_RESUMED owner@example.test by root",
  ]);
});

test("a pause that was made for an extension covers its account, and ends by either name", async () => {
  const extension = "owner+shop@example.test";
  for (const recipient of [extension, OWNER]) {
    await pause(extension, "1h");
    assert.deepEqual(await listed(), ["owner@example.test 01:00:00 root"]);
    const ended = await kit.ask({ verb: "greylist_resume", recipient });
    assert.deepEqual(ended, { ok: true, result: { target: OWNER } });
    assert.deepEqual(await listed(), []);
  }
});

test("a pause lasts from a second to thirty days", async () => {
  for (const wrong of ["999ms", "721h"]) {
    const message = `“${wrong}” is not the length of a pause.`;
    assert.partialDeepStrictEqual(await pause(OWNER, wrong), { ok: false, kind: "usage", message });
  }
  assert.deepEqual(await listed(), []);
  for (const right of ["1s", "30d"]) assert.equal((await pause(OWNER, right)).ok, true);
});

test("a pause for an extension applies to its account, and the web makes a bounded number of them", async () => {
  const pauses = accountsOnMemory(kit.db).correspondents;
  const parts = { ...kit, pauses, recipients: { exists: () => true } };
  const asked = (name: string, by: string) => {
    const recipient = mailAddress(`${name}@example.test`);
    return GREYLIST_RUNS.greylist_pause(parts, { verb: "greylist_pause", recipient, for: "1h" }, by);
  };
  for (const tag of ["a", "b"]) assert.equal((await asked(`owner+${tag}`, "root")).ok, true);
  assert.deepEqual(await listed(), ["owner@example.test 01:00:00 root"]);
  for (let i = 0; i < 200; i++) await asked(`m${i}`, `mailbox:m${i}@example.test via 203.0.113.9`);
  for (let i = 0; i < 200; i++) assert.equal((await asked(`u${i}`, "web:anna")).ok, true);
  assert.match(refusalOf(await asked("u200", "web:anna")), /200 recipients already/);
  assert.equal((await asked("u1", "web:anna")).ok, true, "a longer one replaces the first");
  assert.equal((await asked("u200", "root")).ok, true);
});
