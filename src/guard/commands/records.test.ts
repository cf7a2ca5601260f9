import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOnMemory } from "../../../test/kit/commands-kit.ts";

const NAME = "alice@example.test";

test("records a legal hold and its end, even of a removed account, and also a review, a recovery key and the firewall", async () => {
  const kit = commandsOnMemory();
  for (const isOn of [true, false])
    assert.deepEqual(await kit.ask({ verb: "legal_hold", name: NAME, isOn }), { ok: true, result: { name: NAME } });
  assert.deepEqual(kit.types(), ["LEGAL_HOLD_SET", "LEGAL_HOLD_LIFTED"]);
  await kit.ask({ verb: "access_reviewed", summary: "3 accounts" });
  assert.deepEqual([kit.types().at(-1), kit.details().at(-1)], ["ACCESS_REVIEWED", "3 accounts by root"]);
  await kit.ask({ verb: "recovery_key_made", fingerprint: "00ff" });
  assert.deepEqual([kit.types().at(-1), kit.details().at(-1)], ["RECOVERY_KEY_MADE", "00ff by root"]);
  await kit.ask({ verb: "firewall_changed", step: "rolled_back", opening: "every port" });
  assert.deepEqual([kit.types().at(-1), kit.details().at(-1)], ["FIREWALL_ROLLED_BACK", "every port by root"]);
  const nonsense = await kit.ask({ verb: "legal_hold", name: "nonsense", isOn: true });
  assert.ok(!nonsense.ok && nonsense.kind === "usage");
});
