import assert from "node:assert/strict";
import { test } from "node:test";
import { address, ban, enforcerKit } from "../../../test/kit/enforcer-kit.ts";
import { settled, until } from "../../../test/kit/until.ts";
import { later } from "../../core/time.ts";

const kit = enforcerKit(import.meta.filename);

test("two thousand bans reach the kernel at once, and a thousand sessions are cut at once", async () => {
  await kit.enforcer.start();
  ban(kit, 2_001);
  await until(() => kit.firewall.cuts.length === 2_001);
  const changes = kit.firewall.calls.filter((call) => call !== "cut");
  assert.deepEqual(changes, ["reset", "apply", "apply"]);
  assert.deepEqual(kit.firewall.cutSizes, [1_000, 1_000, 1]);
});

test("reads back the last 256 bans of each batch, if they last for three more seconds", async () => {
  await kit.enforcer.start();
  ban(kit, 299);
  kit.banLog.add(address(299), later(kit.clock.now(), 3_001));
  kit.banLog.add(address(300), later(kit.clock.now(), 3_000));
  kit.banLog.add(address(301));
  kit.banLog.delete(address(301));
  kit.enforcer.nudge();
  await until(() => kit.firewall.readBack.length === 1);
  const [asked = []] = kit.firewall.readBack;
  assert.deepEqual([asked.length, asked[0], asked.at(-1)], [256, address(44), address(299)]);
});

test("only bans end sessions, and sessions that stay open are logged once for each reason", async () => {
  await kit.enforcer.start();
  kit.banLog.delete(address(1));
  kit.enforcer.nudge();
  await until(() => kit.firewall.readBack.length === 1);
  assert.deepEqual([kit.firewall.cutSizes, kit.warned], [[], []]);
  const open = (reason: string) => ["Sessions of banned addresses stay open.", { reason }];
  const reasons = ["no ss", "no ss", "no conntrack", null, "no conntrack"];
  for (const [i, reason] of reasons.entries()) {
    kit.firewall.cutting = () => Promise.resolve(reason === null ? { ok: true } : { ok: false, reason });
    ban(kit, 1, 10 + i);
    await until(() => kit.firewall.readBack.length === i + 2);
  }
  assert.deepEqual(kit.warned, [open("no ss"), open("no conntrack"), open("no conntrack")]);
});

test("an error while closing sessions is logged, and the sessions of the next ban are closed", async () => {
  await kit.enforcer.start();
  kit.firewall.cutting = () => Promise.reject(new Error("the pipe broke"));
  ban(kit, 1);
  await until(() => kit.warned.length === 1);
  kit.firewall.cutting = () => Promise.resolve({ ok: true });
  const after = kit.banLog.after.bind(kit.banLog);
  kit.banLog.after = (id, most) => (most === 1_000 ? assert.fail("disk I/O error") : after(id, most));
  ban(kit, 1, 1);
  await until(() => kit.warned.length === 2);
  const reasons = kit.warned.map(([, fields]) => fields);
  assert.deepEqual(reasons, [{ reason: "the pipe broke" }, { reason: "disk I/O error" }]);
  kit.banLog.after = after;
  ban(kit, 1, 2);
  await until(() => kit.firewall.cuts.length === 3);
});

for (const [who, lifted, others, isMissed] of [
  ["that ban", 1, 0, false],
  ["that ban, after 1,999 others,", 1, 1_999, false],
  ["a different ban", 9, 0, true],
] as const)
  test(`a ban that the kernel lacks is ${isMissed ? "reported" : "not reported"} if ${who} was lifted in between`, async () => {
    await kit.enforcer.start();
    kit.firewall.losing.push(address(1));
    kit.firewall.cutting = () => {
      for (let i = 0; i < others; i++) kit.banLog.delete(address(9));
      kit.banLog.delete(address(lifted));
      kit.firewall.cutting = () => Promise.resolve({ ok: true });
      return Promise.resolve({ ok: true });
    };
    ban(kit, 1, 1);
    await until(() => kit.firewall.readBack.length > 0);
    await settled();
    assert.equal(kit.warned.length, isMissed ? 1 : 0);
  });
