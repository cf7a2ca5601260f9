import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BAN, factsOf, MAIL, NOON, POLICY, STRANGER, UNSPARED } from "../../../test/kit/samples.ts";
import type { LoginFacts } from "../events/login.ts";
import type { MailFacts } from "../events/mail.ts";
import type { Protection } from "../events/reasons.ts";
import type { Service } from "../events/service.ts";
import { later, type Millis } from "../time.ts";
import { decideCommand } from "./command.ts";
import { decideConnect } from "./connect.ts";
import type { Ban, Decision } from "./decision.ts";
import type { Facts, Failure } from "./facts.ts";
import { decideLoginAsked, decideLoginFailed, decideLoginSucceeded } from "./login.ts";
import { decideMail, decideMessage, decideRecipient } from "./mail.ts";
import type { Limit, Policy } from "./policy.ts";

/** Small limits and windows, so that random histories cross them often. */
const limits = fc.array(
  fc.record({
    key: fc.constant("k"),
    count: fc.integer({ min: 1, max: 6 }),
    windowMs: fc.integer({ min: 1, max: 500 }),
  }),
  { minLength: 1, maxLength: 3 },
);
const policies = fc.record({ mail: limits, connections: limits, failures: fc.integer({ min: 1, max: 6 }) }).map(
  ({ mail, connections, failures }): Policy => ({
    ...POLICY,
    mail,
    connections,
    logins: { failures, windowMs: 300, networks: [] },
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
    list.map((at, i): Failure => ({ at, passwordHash: hashes[i] ?? "", account: "user@example.org" })),
  );
const anyFacts = fc.record({
  known: fc.boolean(),
  ban: fc.constantFrom<Ban | null>(null, BAN, { ...BAN, expiresAt: null }),
  offences: fc.nat(5),
  connections: pastTimes,
  mails: pastTimes,
  failures: pastFailures,
  accountMails: pastTimes,
});
const anyMail = fc.record({
  service: services,
  clientName: clientNames,
  sender: fc.constantFrom("", "user@example.org", "someone@example.net"),
  account: fc.constantFrom(null, "user@example.org"),
});
const anyLogin = fc.record({ service: services, passwordHash: passwords });

test("whatever is protected is never banned nor turned away as a stranger, by any decision", () => {
  const scenes = fc.tuple(policies, anyFacts, protections, anyMail, anyLogin);
  fc.assert(
    fc.property(scenes, ([policy, known, protection, mail, login]) => {
      for (const decided of everyDecision(policy, factsOf({ ...known, protection }), { ...MAIL, ...mail }, login)) {
        assert.deepEqual(bansOf(decided), []);
        assert.notEqual(decided.verdict, "refuse");
      }
      const asked = { type: "BAN_ASKED", prefix: BAN.prefix, note: "", durationMs: null, by: "root" } as const;
      const facts = { sparing: () => ({ ...UNSPARED, protection }), ban: known.ban, listed: null, covered: [] };
      assert.deepEqual(bansOf(decideCommand(facts, asked, NOON)), []);
    }),
  );
});

test("no decision bans more than once, bans what is banned, or passes what it bans", () => {
  fc.assert(
    fc.property(policies, anyFacts, anyMail, anyLogin, (policy, known, mail, login) => {
      for (const decided of everyDecision(policy, factsOf(known), { ...MAIL, ...mail }, login)) {
        const bans = bansOf(decided);
        assert.ok(bans.length <= (known.ban === null ? 1 : 0));
        if (bans.length > 0) assert.equal(decided.verdict, "refuse");
        for (const ban of bans) assert.equal(ban.offences, known.offences + 1);
      }
    }),
  );
});

test("an account is never banned for volume, nor a provider", () => {
  fc.assert(
    fc.property(policies, anyFacts, anyMail, services, (policy, known, mail, service) => {
      const facts = factsOf(known);
      const byAccount = { type: "MAIL", recipientCount: 1, ...MAIL, ...mail, account: "user@example.org" } as const;
      assert.deepEqual(bansOf(decideMail(policy, facts, byAccount, NOON)), []);
      const byProvider = { ...byAccount, account: null, clientName: "mail.google.com" };
      assert.deepEqual(bansOf(decideMail(policy, facts, byProvider, NOON)), []);
      const connect = { type: "CONNECT", ip: STRANGER, service, session: "", clientName: "mail.google.com" } as const;
      assert.deepEqual(bansOf(decideConnect(policy, facts, connect, NOON)), []);
    }),
  );
});

const gaps = fc.array(fc.nat(200), { minLength: 1, maxLength: 60 });

test("a stranger's mails bring a ban exactly at the first that exceeds a limit in any window", () => {
  fc.assert(
    fc.property(policies, gaps, (policy, waits) => {
      const arrivals = arrivalsOf(waits);
      const banned = firstBan(arrivals, (mails, now) =>
        decideMail(policy, factsOf({ mails }), { type: "MAIL", recipientCount: 1, ...MAIL }, now),
      );
      assert.equal(banned, firstBeyond(policy.mail, arrivals));
    }),
  );
});

test("a stranger's connections bring a ban exactly at the first that exceeds a limit in any window", () => {
  const event = { type: "CONNECT", ip: STRANGER, service: "smtp", session: "", clientName: null } as const;
  fc.assert(
    fc.property(policies, gaps, (policy, waits) => {
      const arrivals = arrivalsOf(waits);
      const banned = firstBan(arrivals, (connections, now) =>
        decideConnect(policy, factsOf({ connections }), event, now),
      );
      assert.equal(banned, firstBeyond(policy.connections, arrivals));
    }),
  );
});

test("a known address is banned no sooner than a stranger, and is not spared forever", () => {
  fc.assert(
    fc.property(policies, anyFacts, anyMail, (policy, known, mail) => {
      const event = { type: "MAIL", recipientCount: 1, ...MAIL, ...mail } as const;
      const asKnown = bansOf(decideMail(policy, factsOf({ ...known, known: true }), event, NOON)).length;
      const asStranger = bansOf(decideMail(policy, factsOf({ ...known, known: false }), event, NOON)).length;
      assert.ok(asKnown <= asStranger);
    }),
  );
  const flood = arrivalsOf(Array.from({ length: 60 }, () => 0));
  const event = { type: "MAIL", recipientCount: 1, ...MAIL } as const;
  const at = firstBan(flood, (mails, now) => decideMail(POLICY, factsOf({ known: true, mails }), event, now));
  assert.equal(at, 30, "the 31st of 10 a minute, times 3");
});

test("a wrong password that is repeated never bans, however often and among whatever else", () => {
  fc.assert(
    fc.property(policies, fc.integer({ min: 2, max: 200 }), gaps, (policy, repeats, waits) => {
      const generous = { ...policy, logins: { ...policy.logins, failures: Math.max(2, policy.logins.failures) } };
      const arrivals = arrivalsOf([...waits, ...Array.from({ length: repeats }, () => 1)]);
      const decided = logInFrom(
        generous,
        arrivals.map((at) => ({ at, passwordHash: "stale", account: "user@example.org" })),
      );
      assert.deepEqual(decided.flatMap(bansOf), []);
    }),
  );
});

test("guessing brings a ban exactly at the first password that makes too many different ones", () => {
  // Waits that add up to the window exactly, now and then: its edge is where counting goes wrong.
  const waits = fc.constantFrom(0, 1, 50, 100, 150, 299, 300);
  const attempts = fc.array(fc.tuple(waits, passwords), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(policies, attempts, (policy, list) => {
      const arrivals = arrivalsOf(list.map(([wait]) => wait));
      const tried = list.map(
        ([, passwordHash], i): Failure => ({
          at: arrivals[i] ?? NOON,
          passwordHash,
          account: "user@example.org",
        }),
      );
      const decided = logInFrom(policy, tried);
      assert.equal(
        decided.findIndex((one) => bansOf(one).length > 0),
        firstGuessBeyond(policy, tried),
      );
    }),
  );
});

function everyDecision(policy: Policy, facts: Facts, mail: MailFacts, login: Partial<LoginFacts>): readonly Decision[] {
  const logIn: LoginFacts = { ip: STRANGER, service: "imap", login: "user@example.org", passwordHash: "", ...login };
  const { service, session, clientName } = mail;
  const connect = { type: "CONNECT", ip: STRANGER, service, session, clientName } as const;
  return [
    decideConnect(policy, facts, connect, NOON),
    decideRecipient(policy, facts, { type: "RECIPIENT", listed: null, senderExists: null, ...mail }, NOON),
    decideMail(policy, facts, { type: "MAIL", recipientCount: 1, ...mail }, NOON),
    decideMessage(policy, facts, { type: "MESSAGE", recipientCount: 1, sizeBytes: 1, ...mail }),
    decideLoginAsked(policy, facts, { type: "LOGIN_ASKED", ...logIn }, NOON),
    decideLoginSucceeded(policy, facts, { type: "LOGIN_SUCCEEDED", ...logIn }),
    decideLoginFailed(policy, facts, { type: "LOGIN_FAILED", ...logIn }, NOON),
  ];
}

function bansOf(decided: Decision): readonly Ban[] {
  return decided.changes.flatMap((change) => (change.type === "BAN" ? [change.ban] : []));
}

function arrivalsOf(waitsMs: readonly number[]): readonly Millis[] {
  let at = NOON;
  return waitsMs.map((waitMs) => {
    at = later(at, waitMs);
    return at;
  });
}

/** Index of the arrival at which the decision bans, those before it counting; -1 if none does. */
function firstBan(arrivals: readonly Millis[], decide: (before: readonly Millis[], now: Millis) => Decision): number {
  return arrivals.findIndex((now, i) => bansOf(decide(arrivals.slice(0, i), now)).length > 0);
}

/** The same by its definition: some window that ends with this arrival holds more than its limit. */
function firstBeyond(limitList: readonly Limit[], arrivals: readonly Millis[]): number {
  return arrivals.findIndex((now, i) =>
    limitList.some(
      ({ count, windowMs }) => arrivals.slice(0, i + 1).filter((at) => at > now - windowMs).length > count,
    ),
  );
}

/** Attempts in their order, until one brings a ban; what counted is remembered. */
function logInFrom(policy: Policy, attempts: readonly Failure[]): readonly Decision[] {
  const counted: Failure[] = [];
  return attempts.map((attempt) => {
    const event = {
      type: "LOGIN_FAILED",
      ip: STRANGER,
      service: "imap",
      login: "user@example.org",
      ...attempt,
    } as const;
    const decided = decideLoginFailed(policy, factsOf({ failures: [...counted] }), event, attempt.at);
    if (decided.counted) counted.push(attempt);
    return decided;
  });
}

/**
 * By its definition: this password is one that does not stand among those counted within the window, and with it
 * there are as many as bring a ban. A password that cannot be told apart (empty) is different from all.
 */
function firstGuessBeyond(policy: Policy, attempts: readonly Failure[]): number {
  const counted: Failure[] = [];
  return attempts.findIndex((attempt) => {
    const recent = counted.filter(({ at }) => at > attempt.at - policy.logins.windowMs);
    if (attempt.passwordHash !== "" && recent.some((one) => one.passwordHash === attempt.passwordHash)) return false;
    counted.push(attempt);
    return recent.length + 1 >= policy.logins.failures;
  });
}
