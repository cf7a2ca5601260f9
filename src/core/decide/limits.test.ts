import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyFacts, anyMail, bansOf, passwords, policies } from "../../../test/kit/any-facts.ts";
import { DATA, factsOf, LOGIN, NOON } from "../../../test/kit/samples.ts";
import { later, type Millis } from "../time.ts";
import type { Decision } from "./decision.ts";
import type { Failure } from "./facts.ts";
import { decideLoginFailed } from "./login.ts";
import { decideData } from "./mail.ts";
import type { Policy } from "./policy.ts";

const gaps = fc.array(fc.nat(200), { minLength: 1, maxLength: 60 });

test("a known address is banned no sooner than a stranger", () => {
  fc.assert(
    fc.property(policies, anyFacts, anyMail, (policy, known, mail) => {
      const event = { ...DATA, ...mail };
      const asKnown = bansOf(decideData(policy, factsOf({ ...known, known: true }), event, NOON)).length;
      const asStranger = bansOf(decideData(policy, factsOf({ ...known, known: false }), event, NOON)).length;
      assert.ok(asKnown <= asStranger);
    }),
  );
});

test("a wrong password that is repeated never bans, however often and among whatever else", () => {
  fc.assert(
    fc.property(policies, fc.integer({ min: 2, max: 200 }), gaps, (policy, repeats, waits) => {
      const generous = { ...policy, logins: { ...policy.logins, failures: Math.max(2, policy.logins.failures) } };
      const arrivals = arrivalsOf([...waits, ...Array.from({ length: repeats }, () => 1)]);
      const attempts = arrivals.map((at) => ({ at, passwordHash: "stale", account: "user@example.org" }));
      const decided = logInFrom(generous, attempts);
      assert.deepEqual(decided.flatMap(bansOf), []);
    }),
  );
});

test("guessing brings a ban exactly at the first password that makes too many different ones", () => {
  // Waits that sometimes add up to exactly the window: mistakes happen at its edge.
  const waits = fc.constantFrom(0, 1, 50, 100, 150, 299, 300);
  const attempts = fc.array(fc.tuple(waits, passwords), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(policies, attempts, (policy, list) => {
      const arrivals = arrivalsOf(list.map(([wait]) => wait));
      const tried = list.map(
        ([, passwordHash], i): Failure => ({ at: arrivals[i] ?? NOON, passwordHash, account: "user@example.org" }),
      );
      const banned = logInFrom(policy, tried).findIndex((one) => bansOf(one).length > 0);
      assert.equal(banned, firstGuessBeyond(policy, tried));
    }),
  );
});

function arrivalsOf(waitsMs: readonly number[]): readonly Millis[] {
  let at = NOON;
  return waitsMs.map((waitMs) => (at = later(at, waitMs)));
}

/** Attempts in order until a ban, with the counted ones remembered. */
function logInFrom(policy: Policy, attempts: readonly Failure[]): readonly Decision[] {
  const counted: Failure[] = [];
  return attempts.map((attempt) => {
    const event = { type: "LOGIN_FAILED", ...LOGIN, ...attempt } as const;
    const decided = decideLoginFailed(policy, factsOf({ failures: [...counted] }), event, attempt.at);
    if (decided.counted) counted.push(attempt);
    return decided;
  });
}

/**
 * By its definition, within a day: this password is one that does not stand among those counted, and with it there are
 * as many within the window, or in all, as cause a ban. A password without a hash is different from all others.
 */
function firstGuessBeyond(policy: Policy, attempts: readonly Failure[]): number {
  const counted: Failure[] = [];
  return attempts.findIndex((attempt) => {
    if (attempt.passwordHash !== "" && counted.some((one) => one.passwordHash === attempt.passwordHash)) return false;
    counted.push(attempt);
    const { failures, windowMs, perDay } = policy.logins;
    return counted.filter(({ at }) => at > attempt.at - windowMs).length >= failures || counted.length >= perDay;
  });
}
