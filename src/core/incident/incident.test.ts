import assert from "node:assert/strict";
import { test } from "node:test";
import { incidentId, isIncidentId, parseEntry, parseIncident } from "./incident.ts";

const AT = "2026-11-20T08:00:00.000Z";

test("an incident is named by its day and its title, in letters that a folder can have", () => {
  for (const [title, id] of [
    ["Anna was hijacked", "2026-11-20-anna-was-hijacked"],
    ["../../etc/passwd", "2026-11-20-etc-passwd"],
    ["Über “alles” !", "2026-11-20-uber-alles"],
    ["…", "2026-11-20-incident"],
    ["x".repeat(200), `2026-11-20-${"x".repeat(40)}`],
  ] as const) {
    assert.equal(incidentId(title, AT), id);
    assert.ok(isIncidentId(id), id);
  }
  for (const other of ["", "..", "2026-11-20", "2026-11-20-", "2026-11-20-a/b", "2026-11-20-A"])
    assert.ok(!isIncidentId(other), other);
});

test("what was written is read again, and nothing else", () => {
  const incident = { id: incidentId("x", AT), title: "x", openedAt: AT, since: AT, closedAt: null };
  assert.deepEqual(parseIncident(JSON.stringify(incident)), incident);
  const entry = { at: AT, by: "root", step: "note", says: "Called the provider.", lines: [], audited: true };
  assert.deepEqual(parseEntry(JSON.stringify(entry)), entry);
  for (const text of [
    "",
    "{",
    "[]",
    JSON.stringify({ ...entry, step: "guess" }),
    JSON.stringify({ ...incident, id: 1 }),
  ])
    assert.deepEqual([parseIncident(text), parseEntry(text)], [null, null], text);
});
