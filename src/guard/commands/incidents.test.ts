import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { incidentNote } from "./audit.ts";

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
