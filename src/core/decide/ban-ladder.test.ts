import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf, ip, NOON, POLICY, STRANGER } from "../../../test/kit/samples.ts";
import { prefixOf } from "../net/ip.ts";
import { DAY_MS, HOUR_MS, instant, MINUTE_MS } from "../time.ts";
import { nextBan } from "./ban-ladder.ts";
import type { Ban } from "./decision.ts";
import type { Policy } from "./policy.ts";

const EVIDENCE = { count: 11, limit: 10, windowMs: MINUTE_MS, key: "limits.mail.per_minute" };

function banAfter(offences: number, bans: Partial<Policy["bans"]> = {}): Ban {
  const policy = { ...POLICY, bans: { ...POLICY.bans, ...bans } };
  return nextBan(policy, factsOf({ offences }), { code: "mail_limit", evidence: EVIDENCE }, NOON).ban;
}

test("each offence climbs one rung until the last, on a ladder with one rung and on one with five", () => {
  const rungs = (bans: number, ladderMs: readonly number[]) =>
    Array.from({ length: bans }, (_, offences) => {
      const { level, expiresAt } = banAfter(offences, { ladderMs });
      return `${level} ${(expiresAt ?? instant(0)) - NOON}`;
    });
  assert.deepEqual(rungs(3, [1_000]), ["light 1000", "light 1000", "light 1000"]);
  assert.deepEqual(rungs(6, [1, 2, 3, 4, 5]), ["light 1", "medium 2", "heavy 3", "heavy 4", "heavy 5", "heavy 5"]);
});

test("the ban covers the network, names the address and tells the owner why in numbers", () => {
  const facts = factsOf({ prefix: prefixOf(ip("2001:db8:0:1::7"), 64), ip: ip("2001:db8:0:1::7") });
  const evidence = { count: 5, limit: 5, windowMs: 600_000, key: "limits.logins.failures" };
  const { ban } = nextBan(POLICY, facts, { code: "login_failures", evidence }, NOON);
  const who = { prefix: "2001:db8:0:1::/64", ip: "2001:db8:0:1::7", source: "engine", createdAt: NOON };
  const reason = "Too many different wrong passwords: 5 within 10m, limit 5";
  assert.partialDeepStrictEqual(ban, { ...who, code: "login_failures", reason });
  assert.equal(banAfter(0).ip, STRANGER);
});

test("a jail's first ban is as long as the jail says, a later one as long as the longer of jail and rung", () => {
  const lastsMs = (offences: number, banMs: number): number => {
    const jail = { name: "postfix", banMs };
    const { ban } = nextBan(POLICY, factsOf({ offences }), { code: "jail_report", evidence: EVIDENCE, jail }, NOON);
    assert.equal(ban.source, "fail2ban");
    return (ban.expiresAt ?? NOON) - NOON;
  };
  assert.equal(lastsMs(0, MINUTE_MS), MINUTE_MS);
  assert.equal(lastsMs(0, DAY_MS), DAY_MS);
  assert.equal(lastsMs(1, MINUTE_MS), 2 * HOUR_MS);
  assert.equal(lastsMs(1, DAY_MS), DAY_MS);
});
