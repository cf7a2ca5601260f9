import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ban } from "../../core/decide/decision.ts";
import { parseIp, parsePrefix } from "../../core/net/ip.ts";
import { instant } from "../../core/time.ts";
import { banItem } from "./items.ts";

test("a ban as every interface shows it: times in ISO 8601 UTC, null for one without end", () => {
  const ip = parseIp("198.51.100.7");
  const prefix = parsePrefix("198.51.100.7");
  assert.ok(ip !== null && prefix !== null);
  const ban: Ban = {
    ip,
    prefix,
    level: "light",
    code: "mail_limit",
    reason: "Too many mails: 11 within 1m, limit 10",
    source: "engine",
    createdAt: instant(Date.UTC(2026, 0, 1)),
    expiresAt: instant(Date.UTC(2026, 0, 1, 0, 30)),
    offences: 1,
  };
  assert.deepEqual(banItem(ban), {
    ...ban,
    createdAt: "2026-01-01T00:00:00.000Z",
    expiresAt: "2026-01-01T00:30:00.000Z",
  });
  assert.equal(banItem({ ...ban, expiresAt: null }).expiresAt, null);
});
