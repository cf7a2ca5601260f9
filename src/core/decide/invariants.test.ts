// Invariant: Nothing protected is ever banned: this machine, its gateway, the allow list.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BAN, DATA, factsOf, LOGIN, MESSAGE, NOON, POLICY, RECIPIENT, STRANGER } from "../../../test/kit/samples.ts";
import type { Service } from "../events/event-types.ts";
import type { LoginAttributes } from "../events/login.ts";
import type { MailAttributes } from "../events/mail.ts";
import type { Protection } from "../events/reasons.ts";
import { later, type Millis } from "../time.ts";
import { decideNetworkEvent } from "./command.ts";
import { decide, decideConnect } from "./decide.ts";
import type { Ban, Decision } from "./decision.ts";
import { type Facts, type FailedLogin, NO_RECIPIENTS, NO_SENDING } from "./facts.ts";
import { decideLoginFailed } from "./login.ts";
import { decideData, decideEndOfMessage, decideRecipient } from "./mail.ts";
import type { Policy } from "./policy.ts";

/** Arbitrary facts for properties of decisions. Limits and windows are small, so random histories cross them often. */
const upTo = (max: number) => fc.integer({ min: 1, max });
const limit = fc.record({ key: fc.constant("k"), count: upTo(6), windowMs: upTo(500) });
const limits = fc.array(limit, { minLength: 1, maxLength: 3 });
const policies = fc.record({ mail: limits, connections: limits, failures: upTo(6) }).map(
  ({ mail, connections, failures }): Policy => ({
    ...POLICY,
    mail,
    connections,
    logins: { ...POLICY.logins, failures, windowMs: 300 },
  }),
);
const protections = fc.constantFrom<Protection>("loopback", "own_address", "gateway", "allow_listed");
const clientNames = fc.constantFrom(null, "mail.google.com", "mail.example.net");
const services = fc.constantFrom<Service>("smtp", "submission", "submissions", "imap", "sieve", "dashboard");
const pastTimes = fc
  .array(fc.nat(600), { maxLength: 30 })
  .map((list) => list.sort((a, b) => b - a).map((ago) => later(NOON, -ago)));
const passwords = fc.constantFrom("", "a", "b", "c", "d", "e", "f", "g");
const pastFailures = fc
  .tuple(pastTimes, fc.array(passwords, { minLength: 30, maxLength: 30 }))
  .map(([list, hashes]) =>
    list.map((at, i): FailedLogin => ({ at, passwordHash: hashes[i] ?? "", account: "user@example.org" })),
  );
const anyFacts = fc.record({
  known: fc.boolean(),
  ban: fc.constantFrom<Ban | null>(null, BAN, { ...BAN, expiresAt: null }),
  offences: fc.nat(5),
  connections: pastTimes,
  mails: pastTimes,
  failures: pastFailures,
  sending: pastTimes.map((list) => ({ ...NO_SENDING, mails: list.map((at) => ({ at, ...NO_RECIPIENTS })) })),
});
const anyMail = fc.record({
  service: services,
  clientName: clientNames,
  sender: fc.constantFrom("", "user@example.org", "someone@example.net"),
  account: fc.constantFrom(null, "user@example.org"),
});
const anyLogin = fc.record({ service: services, passwordHash: passwords });

test("no decision bans a protected address or turns it away as a stranger", () => {
  const scenes = fc.tuple(policies, anyFacts, protections, anyMail, anyLogin);
  fc.assert(
    fc.property(scenes, ([policy, known, protection, mail, login]) => {
      for (const decided of everyDecision(policy, factsOf({ ...known, protection }), mail, login)) {
        assert.deepEqual(bansOf(decided), []);
        // Only loopback and the allow list may guess forever.
        const isGuessing = decided.reason === "slow_guessing" && ["own_address", "gateway"].includes(protection);
        assert.ok(decided.verdict !== "refuse" || isGuessing, decided.reason);
      }
      const asked = { type: "BAN_ASKED", prefix: BAN.prefix, note: "", durationMs: null, by: "root" } as const;
      const { sparing } = factsOf({ protection });
      const facts = { sparing, ban: known.ban, listed: null, covered: [] };
      assert.deepEqual(bansOf(decideNetworkEvent(facts, asked, NOON)), []);
    }),
  );
});

test("no decision bans more than once, bans what is banned, or passes what it bans", () => {
  fc.assert(
    fc.property(policies, anyFacts, anyMail, anyLogin, (policy, known, mail, login) => {
      for (const decided of everyDecision(policy, factsOf(known), mail, login)) {
        const bans = bansOf(decided);
        assert.ok(bans.length <= (known.ban === null ? 1 : 0));
        if (bans.length > 0) assert.equal(decided.verdict, "refuse");
        for (const ban of bans) assert.equal(ban.offences, known.offences + 1);
      }
    }),
  );
});

test("neither an account nor a provider is ever banned for volume", () => {
  fc.assert(
    fc.property(policies, anyFacts, anyMail, services, (policy, known, mail, service) => {
      const facts = factsOf(known);
      const byAccount = { ...DATA, ...mail, account: "user@example.org" };
      assert.deepEqual(bansOf(decideData(policy, facts, byAccount, NOON)), []);
      const byProvider = { ...byAccount, account: null, clientName: "mail.google.com" };
      assert.deepEqual(bansOf(decideData(policy, facts, byProvider, NOON)), []);
      const connect = { type: "CONNECT", ip: STRANGER, service, session: "", clientName: "mail.google.com" } as const;
      assert.deepEqual(bansOf(decideConnect(policy, facts, connect, NOON)), []);
    }),
  );
});

test("an address that three accounts know is never banned, except for guessing", () => {
  fc.assert(
    fc.property(policies, anyFacts, anyMail, (policy, known, mail) => {
      const knownAccounts = ["a@x.test", "b@x.test", "c@x.test"];
      const facts = factsOf({ ...known, probes: known.mails, recipient: "unknown", isKnown: true, knownAccounts });
      for (const decided of everyDecision(policy, facts, mail, {}).slice(0, 4)) assert.deepEqual(bansOf(decided), []);
    }),
  );
});

function everyDecision(policy: Policy, facts: Facts, mail: Partial<MailAttributes>, login: Partial<LoginAttributes>) {
  const logIn: LoginAttributes = { ...LOGIN, passwordHash: "", ...login };
  const { service, session, clientName } = { ...DATA, ...mail };
  const connect = { type: "CONNECT", ip: STRANGER, service, session, clientName } as const;
  return [
    decideConnect(policy, facts, connect, NOON),
    decideRecipient(policy, facts, { ...RECIPIENT, ...mail }, NOON),
    decideData(policy, facts, { ...DATA, ...mail }, NOON),
    decideEndOfMessage(policy, facts, { ...MESSAGE, ...mail }, NOON),
    decide(policy, facts, { type: "LOGIN_ASKED", ...logIn }, NOON),
    decide(policy, facts, { type: "LOGIN_SUCCEEDED", ...logIn }, NOON),
    decide(policy, facts, { type: "LOGIN_FAILED", ...logIn }, NOON),
  ];
}

const gaps = fc.array(fc.nat(200), { minLength: 1, maxLength: 60 });

test("a known address is banned no sooner than a stranger", () => {
  fc.assert(
    fc.property(policies, anyFacts, anyMail, (policy, known, mail) => {
      const event = { ...DATA, ...mail };
      const asKnown = bansOf(decideData(policy, factsOf({ ...known, isKnown: true }), event, NOON)).length;
      const asStranger = bansOf(decideData(policy, factsOf({ ...known, isKnown: false }), event, NOON)).length;
      assert.ok(asKnown <= asStranger);
    }),
  );
});

test("repeating a wrong password never bans, however often and whatever else is tried", () => {
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

test("guessing leads to a ban exactly at the different password that reaches a limit", () => {
  // Waits that sometimes add up to exactly the window: mistakes happen at its edge.
  const waits = fc.constantFrom(0, 1, 50, 100, 150, 299, 300);
  const attempts = fc.array(fc.tuple(waits, passwords), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(policies, attempts, (policy, list) => {
      const arrivals = arrivalsOf(list.map(([wait]) => wait));
      const tried = list.map(
        ([, passwordHash], i): FailedLogin => ({ at: arrivals[i] ?? NOON, passwordHash, account: "user@example.org" }),
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
function logInFrom(policy: Policy, attempts: readonly FailedLogin[]): readonly Decision[] {
  const counted: FailedLogin[] = [];
  return attempts.map((attempt) => {
    const event = { type: "LOGIN_FAILED", ...LOGIN, ...attempt } as const;
    const decided = decideLoginFailed(policy, factsOf({ failures: [...counted] }), event, attempt.at);
    if (decided.counted) counted.push(attempt);
    return decided;
  });
}

/**
 * Returns the index of the attempt that causes the ban by definition, within a day: the first whose password is not among those counted,
 * and with which enough are counted within the window, or in all. A password without a hash is different from all others.
 */
function firstGuessBeyond(policy: Policy, attempts: readonly FailedLogin[]): number {
  const counted: FailedLogin[] = [];
  return attempts.findIndex((attempt) => {
    if (attempt.passwordHash !== "" && counted.some((one) => one.passwordHash === attempt.passwordHash)) return false;
    counted.push(attempt);
    const { failures, windowMs, perDay } = policy.logins;
    return counted.filter(({ at }) => at > attempt.at - windowMs).length >= failures || counted.length >= perDay;
  });
}

function bansOf(decided: Decision): readonly Ban[] {
  return decided.changes.flatMap((change) => (change.type === "BAN" ? [change.ban] : []));
}
