import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { parseKeeperReply } from "../../admin/declare/keeper.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { keepIsolation } from "../../host/firewall/isolation.ts";
import { appendEntry, keepIncident, openIncident } from "../../jobs/incident/folder.ts";
import { layoutOf } from "../../settings/layout.ts";
import { incidentsOf } from "./tell.ts";

const NOTE = { by: "root", step: "note", lines: ["anna@example.org"], audited: true } as const;

test("without an incident the list is empty", () => {
  assert.deepEqual(incidentsOf(layoutOf(temporaryDirectory())), { incidents: [], timeline: [], isolation: null });
});

test("the newest comes first; the steps of the open one are listed, without their targets", () => {
  const layout = layoutOf(temporaryDirectory());
  const [old, open] = [1, 2].map((day) => {
    const openedAt = `2026-11-0${day}T06:00:00.000Z`;
    const incident = openIncident(layout, { title: `Number ${day}`, openedAt, since: openedAt });
    appendEntry(layout, incident, { ...NOTE, at: openedAt, says: `Step of ${day}. ${"x".repeat(600)}` });
    return incident;
  });
  assert.ok(old !== undefined && open !== undefined);
  const closed = { ...old, closedAt: "2026-11-01T08:00:00.000Z" };
  keepIncident(layout, closed);
  const allow = parsePrefix("198.51.100.9") ?? assert.fail();
  const since = open.openedAt;
  keepIsolation(layout, { incident: open.id, since, allow: [allow], ssh: [22], shut: ["send"] });
  const reported = incidentsOf(layout);
  assert.deepEqual(reported, {
    incidents: [open, closed].map((one) => ({ ...one, steps: 1 })),
    timeline: [{ at: since, by: "root", step: "note", says: `Step of 2. ${"x".repeat(469)}`, audited: true }],
    isolation: { incident: open.id, since, allow: ["198.51.100.9/32"], shut: ["send"] },
  });
  const reply = { ok: true, detail: "", incidents: reported };
  assert.deepEqual(parseKeeperReply(JSON.stringify(reply)), reply);
});
