import assert from "node:assert/strict";
import { test } from "node:test";
import { eventItem } from "../../../test/kit/samples.ts";
import type { BanItem } from "../../admin/bans.ts";
import type { EventItem, Health } from "../../admin/declare/items.ts";
import { DAY_MS, instant } from "../../core/time.ts";
import type { Queries } from "../storage-ports.ts";
import { statsOf } from "./stats.ts";

const NOW = instant(Date.UTC(2026, 10, 20, 7));
const HEALTH: Health = { status: "ok", components: [], notices: [], needsYou: [], uptimeSeconds: 5 };

const ban: BanItem = {
  ip: "203.0.113.7",
  prefix: "203.0.113.7/32",
  level: "light",
  code: "mail_limit",
  reason: "Too many mails",
  source: "engine",
  createdAt: "2026-11-20T06:59:00.000Z",
  expiresAt: "2026-11-20T07:29:00.000Z",
  offences: 1,
};

const NOT_ASKED = (): never => assert.fail("the overview does not follow anything");

/** Answers from a few rows and refuses other questions. */
const queries: Queries = {
  bans(now, asked) {
    assert.equal(now, NOW);
    assert.deepEqual(asked, { limit: 3, cursor: null });
    return { items: [ban], next: "7" };
  },
  events({ most, order }) {
    assert.equal(order, "newest_first");
    assert.equal(most, 50);
    return { items: [event(2), event(1)], next: 1 };
  },
  spamScores: NOT_ASKED,
  figures: {
    bansInForce(now) {
      assert.equal(now, NOW);
      return { engine: 99_990, fail2ban: 7, manual: 3 };
    },
    topIps(since, most) {
      assert.equal(most, 10);
      assert.equal(since, NOW - DAY_MS);
      return [{ ip: "203.0.113.7", mails: 11, connections: 3, rejected: 1 }];
    },
    top() {
      throw new Error("the overview ranks as it always did");
    },
    totals(at) {
      assert.ok(at === null || at === NOW - DAY_MS);
      return at === null ? { BAN: 3, CONNECT: 5, sent: 4 } : { BAN: 2, CONNECT: 5, sent: 3 };
    },
    totalsAt() {
      throw new Error("the overview asks about the last day alone");
    },
  },
  banChanges: NOT_ASKED,
  name: NOT_ASKED,
  address() {
    throw new Error("the overview asks about no single address");
  },
};

function event(id: number): EventItem {
  return eventItem("BAN", { id });
}

test("the overview has every field of the API contract, for the last 24 hours", () => {
  assert.deepEqual(statsOf(queries, HEALTH, NOW, 3), {
    generatedAt: "2026-11-20T07:00:00.000Z",
    bans: { active: 100_000, items: [ban], next: "7" },
    events: [event(2), event(1)],
    topIps: [{ ip: "203.0.113.7", mails: 11, connections: 3, rejected: 1 }],
    counts: { BAN: 1 },
    health: HEALTH,
  });
});
