import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalOf } from "../../../test/kit/commands-kit.ts";
import { accountsOnMemory, engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import { mailAddress } from "../../../test/kit/samples.ts";
import { HOUR_MS } from "../../core/time.ts";
import { GREYLIST_RUNS } from "./greylist.ts";

const { greylist_list: list, greylist_pause: greylistPause, greylist_resume: greylistResume } = GREYLIST_RUNS;
const OWNER = "owner@example.test";

let parts: ReturnType<typeof make>;
beforeEachOf(import.meta.filename, () => {
  parts = make();
});

function make() {
  const { engine, db, clock } = engineOnMemory();
  const pauses = accountsOnMemory(db).correspondents;
  return { engine, db, clock, pauses, recipients: { exists: (address: string): boolean => address === OWNER } };
}

function pause(target: string, lasts: string | null) {
  return greylistPause(parts, { verb: "greylist_pause", recipient: mailAddress(target), for: lasts }, "root");
}

function listed(): readonly string[] {
  const reply = list(parts, { verb: "greylist_list", limit: 50, cursor: null });
  assert.ok(reply.ok);
  return reply.result.items.map(({ target, until, by }) => `${target} ${until.slice(11, 19)} ${by}`);
}

test("a pause lasts a quarter of an hour by default, and a second one replaces the first", async () => {
  assert.equal((await pause("Owner@example.test", null)).ok, true);
  assert.deepEqual(listed(), ["owner@example.test 00:15:00 root"]);
  assert.equal((await pause(OWNER, "2h")).ok, true);
  assert.deepEqual(listed(), ["owner@example.test 02:00:00 root"]);
  parts.clock.advance(2 * HOUR_MS);
  assert.deepEqual(listed(), []);
});

for (const target of ["nobody@example.test", "owner@elsewhere.test"])
  test(`no pause for ${target}`, async () => {
    const reply = await pause(target, "15m");
    assert.ok(!reply.ok && reply.kind === "failed");
    assert.match(reply.message, /^[^\n]+\.$/);
    assert.deepEqual(listed(), []);
  });

test("a pause can be ended once, and both are recorded in the audit", async () => {
  await pause(OWNER, "1h");
  const resume = () => greylistResume(parts, { verb: "greylist_resume", recipient: mailAddress(OWNER) }, "root");
  assert.equal((await resume()).ok, true);
  assert.deepEqual(listed(), []);
  assert.partialDeepStrictEqual(await resume(), { ok: false, kind: "failed" });
  assert.deepEqual(parts.db.prepare("SELECT type, details FROM event ORDER BY id").all().map(Object.values), [
    ["GREYLIST_PAUSED", "owner@example.test for 1h by root"],
    ["GREYLIST_RESUMED", "owner@example.test by root"],
  ]);
});

test("a pause lasts from a second to thirty days", async () => {
  for (const wrong of ["999ms", "721h"]) {
    const message = `“${wrong}” is not a length of a pause.`;
    assert.partialDeepStrictEqual(await pause(OWNER, wrong), { ok: false, kind: "usage", message });
  }
  assert.deepEqual(listed(), []);
  for (const right of ["1s", "30d"]) assert.equal((await pause(OWNER, right)).ok, true);
});

test("a pause for an extension applies to its account, and the web makes a bounded number of them", async () => {
  parts = { ...parts, recipients: { exists: () => true } };
  for (const tag of ["a", "b"]) assert.equal((await pause(`owner+${tag}@example.test`, "1h")).ok, true);
  assert.deepEqual(listed(), ["owner@example.test 01:00:00 root"]);
  const asked = (name: string, by: string) =>
    greylistPause(parts, { verb: "greylist_pause", recipient: mailAddress(`${name}@example.test`), for: "1h" }, by);
  for (let i = 0; i < 200; i++) await asked(`m${i}`, `mailbox:m${i}@example.test via 203.0.113.9`);
  for (let i = 0; i < 200; i++) assert.equal((await asked(`u${i}`, "web:anna")).ok, true);
  assert.match(refusalOf(await asked("u200", "web:anna")), /200 recipients already/);
  assert.equal((await asked("u1", "web:anna")).ok, true, "a longer one replaces the first");
  assert.equal((await asked("u200", "root")).ok, true);
});
