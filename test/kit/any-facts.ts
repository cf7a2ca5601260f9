import fc from "fast-check";
import type { Ban, Decision } from "../../src/core/decide/decision.ts";
import { type Failure, NO_RECIPIENTS, NO_SENDING } from "../../src/core/decide/facts.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { Service } from "../../src/core/events/event-types.ts";
import type { Protection } from "../../src/core/events/reasons.ts";
import { later } from "../../src/core/time.ts";
import { BAN, NOON, POLICY } from "./samples.ts";

/** Arbitrary facts for properties of decisions. Limits and windows are small, so random histories cross them often. */
const limits = fc.array(
  fc.record({
    key: fc.constant("k"),
    count: fc.integer({ min: 1, max: 6 }),
    windowMs: fc.integer({ min: 1, max: 500 }),
  }),
  { minLength: 1, maxLength: 3 },
);
export const policies = fc.record({ mail: limits, connections: limits, failures: fc.integer({ min: 1, max: 6 }) }).map(
  ({ mail, connections, failures }): Policy => ({
    ...POLICY,
    mail,
    connections,
    logins: { ...POLICY.logins, failures, windowMs: 300 },
  }),
);
export const protections = fc.constantFrom<Protection>("loopback", "own_address", "gateway", "allow_listed");
const clientNames = fc.constantFrom(null, "mail.google.com", "mail.example.net");
export const services = fc.constantFrom<Service>("smtp", "submission", "submissions", "imap", "sieve", "dashboard");
const pastTimes = fc
  .array(fc.nat(600), { maxLength: 30 })
  .map((list) => list.sort((a, b) => b - a).map((ago) => later(NOON, -ago)));
export const passwords = fc.constantFrom("", "a", "b", "c", "d", "e", "f", "g");
const pastFailures = fc
  .tuple(pastTimes, fc.array(passwords, { minLength: 30, maxLength: 30 }))
  .map(([list, hashes]) =>
    list.map((at, i): Failure => ({ at, passwordHash: hashes[i] ?? "", account: "user@example.org" })),
  );
export const anyFacts = fc.record({
  known: fc.boolean(),
  ban: fc.constantFrom<Ban | null>(null, BAN, { ...BAN, expiresAt: null }),
  offences: fc.nat(5),
  connections: pastTimes,
  mails: pastTimes,
  failures: pastFailures,
  sending: pastTimes.map((list) => ({ ...NO_SENDING, mails: list.map((at) => ({ at, ...NO_RECIPIENTS })) })),
});
export const anyMail = fc.record({
  service: services,
  clientName: clientNames,
  sender: fc.constantFrom("", "user@example.org", "someone@example.net"),
  account: fc.constantFrom(null, "user@example.org"),
});
export const anyLogin = fc.record({ service: services, passwordHash: passwords });

export function bansOf(decided: Decision): readonly Ban[] {
  return decided.changes.flatMap((change) => (change.type === "BAN" ? [change.ban] : []));
}
