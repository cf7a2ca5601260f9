import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, factsOf, NOON, POLICY, STRANGER, times } from "../../../test/kit/samples.ts";
import type { Connect } from "../events/connection.ts";
import { decideConnect } from "./decide.ts";
import type { Facts } from "./facts.ts";

const STAFF = ["a@x.test", "b@x.test", "c@x.test"];
const GOOGLE = "mail-lf1-f41.google.com";

type Example = Readonly<{
  that: string;
  known: Partial<Facts>;
  clientName?: string;
  service?: Connect["service"];
  answer: string;
  bans?: number;
  counted: boolean;
}>;

const examples: readonly Example[] = [
  { that: "a first connection", known: {}, answer: "pass below_limit", counted: true },
  { that: "the 20th in a minute", known: { connections: times(19) }, answer: "pass below_limit", counted: true },
  {
    that: "the 21st in a minute",
    known: { connections: times(20) },
    answer: "refuse connection_limit",
    bans: 1,
    counted: true,
  },
  {
    that: "the 101st in an hour, however slow",
    known: { connections: times(100, 30_000) },
    answer: "refuse connection_limit",
    bans: 1,
    counted: true,
  },
  {
    that: "one from an address that two accounts know, past three times the limit",
    known: { known: true, knownAccounts: ["a@x.test", "b@x.test"], connections: times(60) },
    answer: "refuse connection_limit",
    bans: 1,
    counted: true,
  },
  {
    that: "the same from an address that three accounts know",
    known: { known: true, knownAccounts: STAFF, connections: times(500) },
    answer: "defer known_address",
    counted: true,
  },
  {
    that: "one of them who sends, while a machine beside them floods port 25",
    known: { known: true, knownAccounts: STAFF, connections: times(500) },
    service: "submission",
    answer: "pass known_address",
    counted: true,
  },
  {
    that: "one from an address that three accounts knew long ago",
    known: { known: false, knownAccounts: STAFF, connections: times(60) },
    answer: "refuse connection_limit",
    bans: 1,
    counted: true,
  },
  { that: "one that is banned", known: { ban: BAN }, answer: "refuse banned", counted: false },
  {
    that: "an allow-listed one far over the limit, a ban notwithstanding",
    known: { protection: "allow_listed", ban: BAN, connections: times(500) },
    answer: "pass allow_listed",
    counted: false,
  },
  {
    that: "a large provider over the limit",
    known: { connections: times(500) },
    clientName: GOOGLE,
    answer: "defer provider_busy",
    counted: false,
  },
  {
    that: "a server whose mail is wanted, over the limit",
    known: { isWanted: true, connections: times(59) },
    answer: "defer wanted_busy",
    counted: true,
  },
  {
    that: "the same past three times the limit",
    known: { isWanted: true, connections: times(60) },
    answer: "refuse connection_limit",
    bans: 1,
    counted: true,
  },
  {
    that: "the same after an offence",
    known: { isWanted: true, offences: 1, connections: times(20) },
    answer: "refuse connection_limit",
    bans: 1,
    counted: true,
  },
  {
    that: "a large provider that is banned for another reason",
    known: { ban: BAN },
    clientName: GOOGLE,
    answer: "refuse banned",
    counted: false,
  },
  {
    that: "someone who only looks like a provider",
    known: { connections: times(20) },
    clientName: "mail.notgoogle.com",
    answer: "refuse connection_limit",
    bans: 1,
    counted: true,
  },
  {
    that: "an address from which an account signed in, over the limit",
    known: { known: true, connections: times(20) },
    answer: "defer known_address",
    counted: true,
  },
  {
    that: "the same at three times the limit",
    known: { known: true, connections: times(59) },
    answer: "defer known_address",
    counted: true,
  },
  {
    that: "an owner there who sends, while a machine beside them floods port 25",
    known: { known: true, connections: times(59) },
    service: "submission",
    answer: "pass known_address",
    counted: true,
  },
  {
    that: "the same past three times the limit",
    known: { known: true, connections: times(60) },
    answer: "refuse connection_limit",
    bans: 1,
    counted: true,
  },
];

for (const { that, known, clientName = null, service = "smtp", answer, bans = 0, counted } of examples)
  test(`${that}: ${answer}`, () => {
    const event = { type: "CONNECT", ip: STRANGER, service, session: "", clientName } as const;
    const decided = decideConnect(POLICY, factsOf(known), event, NOON);
    assert.equal(`${decided.verdict} ${decided.reason}`, answer);
    assert.equal(decided.changes.filter((change) => change.type === "BAN").length, bans);
    assert.equal(decided.counted, counted);
    assert.ok(decided.recorded);
  });

test("the evidence names the limit that was exceeded", () => {
  const event = { type: "CONNECT", ip: STRANGER, service: "smtp", session: "", clientName: null } as const;
  const { evidence } = decideConnect(POLICY, factsOf({ connections: times(20) }), event, NOON);
  assert.deepEqual(evidence, { count: 21, limit: 20, windowMs: 60_000, key: "limits.connections.per_minute" });
});
