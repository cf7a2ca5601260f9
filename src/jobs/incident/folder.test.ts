import assert from "node:assert/strict";
import { appendFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { appendEntry, folderOf, keepIncident, openIncident, readIncidents, readTimeline } from "./folder.ts";

const AT = "2026-11-20T08:00:00.000Z";
const entry = { at: AT, by: "root", step: "note", says: "Called.", lines: ["one"], audited: false } as const;

test("an incident has a folder only for root, a record and a timeline", () => {
  const layout = temporaryLayout();
  assert.deepEqual(readIncidents(layout), []);
  const first = openIncident(layout, { title: "Anna", openedAt: AT, since: AT });
  const second = openIncident(layout, { title: "Anna", openedAt: "2026-11-20T09:00:00.000Z", since: AT });
  assert.deepEqual([first.id, second.id], ["2026-11-20-anna", "2026-11-20-anna-2"]);
  assert.equal(statSync(folderOf(layout, first)).mode & 0o777, 0o700);
  assert.deepEqual(readTimeline(layout, first), []);
  appendEntry(layout, first, entry);
  appendFileSync(join(folderOf(layout, first), "timeline.jsonl"), "half a li");
  assert.deepEqual(readTimeline(layout, first), [entry]);
  appendEntry(layout, first, { ...entry, says: "Called again." });
  assert.deepEqual(readTimeline(layout, first), [entry, { ...entry, says: "Called again." }]);
  keepIncident(layout, { ...first, closedAt: AT });
  assert.deepEqual(readIncidents(layout), [{ ...first, closedAt: AT }, second]);
  writeFileSync(join(folderOf(layout, first), "incident.json"), "{");
  assert.deepEqual(readIncidents(layout), [second]);
});
