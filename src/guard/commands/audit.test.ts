import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOnMemory } from "../../../test/kit/commands-kit.ts";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { incidentNote } from "./audit.ts";

test("lists the audit from the newest entry back, and reading it leaves no trace", async () => {
  const { ask, result, types } = commandsOnMemory();
  for (const [at, name] of ["one", "two", "three"].entries())
    await ask({ verb: "token_create", name, digest: `${at}`.repeat(64), scopes: ["read"], for: null });
  const recorded = types();
  const page = async (cursor: string | null) => {
    const { items, next } = await result({ verb: "audit_list", limit: 2, cursor });
    return [items.map(({ type, subject, actor }) => `${type} ${subject} ${actor}`), next];
  };
  const shown = (name: string): string => `TOKEN_CREATED ${name} root`;
  assert.deepEqual(await page(null), [[shown("three"), shown("two")], "2"]);
  assert.deepEqual(await page("2"), [[shown("one")], null]);
  assert.deepEqual(types(), recorded);
});

test("a step of an incident is an event and an entry of the audit", async () => {
  const { engine, db } = engineOnMemory();
  const step = { incident: "2026-11-20-anna", step: "isolate", says: "The world is\nshut out." };
  const reply = await incidentNote({ engine }, { verb: "incident_note", ...step }, "root (eve)");
  assert.deepEqual(reply, { ok: true, result: { done: true } });
  const subject = "2026-11-20-anna isolate: The world is\\x0ashut out.";
  assert.deepEqual(
    { ...db.prepare("SELECT type, actor, details FROM event").get() },
    {
      type: "INCIDENT",
      actor: "root (eve)",
      details: `${subject} by root (eve)`,
    },
  );
  assert.deepEqual(
    { ...db.prepare("SELECT type, actor, subject FROM audit_entry").get() },
    {
      type: "INCIDENT",
      actor: "root (eve)",
      subject,
    },
  );
});

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
