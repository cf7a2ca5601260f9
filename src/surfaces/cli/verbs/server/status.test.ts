import assert from "node:assert/strict";
import { test } from "node:test";
import type { BanItem } from "../../../../admin/bans.ts";
import { printStats } from "./status.ts";

const ban = (n: number): BanItem => ({
  ip: `203.0.113.${n}`,
  prefix: `203.0.113.${n}/32`,
  level: "manual",
  code: "manual",
  reason: "it scanned us",
  source: "root",
  createdAt: "2026-11-20T07:00:00.000Z",
  expiresAt: null,
  offences: 1,
});

function stats(bans: number, listed: number): string {
  const items = Array.from({ length: listed }, (_, n) => ban(n));
  const health = { status: "ok", components: [], notices: [], needsYou: [], uptimeSeconds: 60 } as const;
  const generatedAt = "2026-11-20T07:00:00.000Z";
  return printStats(
    { generatedAt, bans: { active: bans, items, next: null }, events: [], topIps: [], counts: {}, health },
    0,
  );
}

test("stats says where bans are that it does not list", () => {
  assert.doesNotMatch(stats(10, 10), / more:/);
  const many = stats(1_234, 10);
  assert.equal(many.match(/it scanned us/g)?.length, 10);
  assert.match(many, /^… and 1,224 more: \.\/ghostinbox bans$/m);
});
