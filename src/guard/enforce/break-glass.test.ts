import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { LIMITS } from "../limits.ts";
import type { FirewallBan } from "../network-ports.ts";
import type { BanLog } from "../storage-ports.ts";
import { breakGlass } from "./end-bans.ts";

function kit(bans: number) {
  const made = engineOnMemory();
  const standing = Array.from({ length: bans }, (_, i): FirewallBan => {
    const prefix = parsePrefix(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    assert.ok(prefix !== null);
    return { prefix, expiresAt: null };
  });
  const active = (): readonly FirewallBan[] => standing.filter(({ prefix }) => made.sqlite.ban(prefix) !== null);
  const banLog: Pick<BanLog, "active"> = { active };
  return { ...made, standing, banLog: { ...unused, ...banLog } };
}

const refuse = (): never => {
  throw new Error("break-glass does not ask for this");
};
const unused: BanLog = { last: refuse, after: refuse, active: refuse, expired: refuse };

test("every ban is lifted, over several rounds, and the record says who did it", async () => {
  const { engine, db, clock, banLog, standing } = kit(LIMITS.expiriesPerTurn + 7);
  for (const { prefix } of standing)
    void engine.ask({ type: "BAN_ASKED", prefix, note: "test", durationMs: null, by: "root" });
  await engine.audit({ type: "SETTINGS_APPLIED", subject: "bans are in", by: "root" });
  assert.equal([...banLog.active(clock.now())].length, standing.length);

  const lifted = standing.length;
  assert.deepEqual(await breakGlass({ engine, banLog, clock }, "root (anna)"), { lifted, left: 0 });

  assert.equal([...banLog.active(clock.now())].length, 0);
  const [row] = db.prepare("SELECT details FROM event WHERE type = 'BREAK_GLASS'").all();
  assert.equal(row?.["details"], `${standing.length} of ${standing.length} bans lifted by root (anna)`);
});

test("lifts nothing if nothing is banned, and records it anyway", async () => {
  const { engine, db, clock, banLog } = kit(0);
  assert.deepEqual(await breakGlass({ engine, banLog, clock }, "root"), { lifted: 0, left: 0 });
  assert.equal(db.prepare("SELECT 1 FROM event WHERE type = 'BREAK_GLASS'").all().length, 1);
});

test("reports a database that cannot be written", async () => {
  const { engine, clock, banLog, standing, store } = kit(2);
  for (const { prefix } of standing)
    void engine.ask({ type: "BAN_ASKED", prefix, note: "test", durationMs: null, by: "root" });
  await engine.audit({ type: "SETTINGS_APPLIED", subject: "bans are in", by: "root" });
  store.failing = "commit";
  assert.deepEqual(await breakGlass({ engine, banLog, clock }, "root"), { lifted: 0, left: 2 });
});
