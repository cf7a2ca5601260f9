import assert from "node:assert/strict";
import { test } from "node:test";
import { check, type Example, outcomeOf } from "../../../test/kit/mail-examples.ts";
import { BAN, DATA, factsOf, MAIL, NOON, POLICY, RECIPIENT, times } from "../../../test/kit/samples.ts";
import { decide, decideConnect } from "./decide.ts";
import type { Facts } from "./facts.ts";
import { isProvider } from "./policy.ts";

const STAFF = ["a@x.test", "b@x.test", "c@x.test"];
const SHARED = { isKnown: true, knownAccounts: STAFF };
const OF_GOOGLE = { clientName: "mail-lf1-f41.google.com" };
const KNOWN = "defer known_address";
const BANNED = "refuse connection_limit, banned";
const PASSES = "pass known_address";
const TWO = { isKnown: true, knownAccounts: STAFF.slice(1) };
const MANY = { connections: times(500) };
const ALLOWED = { protection: "allow_listed", ban: BAN } as const;
const SENDS = { service: "submission" } as const;

const examples: readonly Example[] = [
  ["the 101st in an hour, however slow", BANNED, { connections: times(100, 30_000) }],
  ["an address that two accounts know, past three times the limit", BANNED, { ...TWO, connections: times(60) }],
  ["an address that three accounts know, however often", KNOWN, { ...SHARED, ...MANY }],
  ["a user there who sends while a machine floods port 25", PASSES, { ...SHARED, ...MANY }, SENDS],
  ["an address that three accounts knew long ago", BANNED, { knownAccounts: STAFF, connections: times(60) }],
  ["a banned address", "refuse banned, uncounted", { ban: BAN }],
  ["an allow-listed and banned address far over the limit", "pass allow_listed, uncounted", { ...ALLOWED, ...MANY }],
  ["a server whose mail is wanted, over the limit", "defer wanted_busy", { isWanted: true, connections: times(59) }],
  ["that server past three times the limit", BANNED, { isWanted: true, connections: times(60) }],
  ["that server after an offence", BANNED, { isWanted: true, offences: 1, connections: times(20) }],
  ["a large provider that is banned for another reason", "refuse banned, uncounted", { ban: BAN }, OF_GOOGLE],
  ["an address from which an account signed in, over the limit", KNOWN, { isKnown: true, connections: times(20) }],
  ["that address at three times the limit", KNOWN, { isKnown: true, connections: times(59) }],
  ["its owner who sends while a machine floods port 25", PASSES, { isKnown: true, connections: times(59) }, SENDS],
  ["its owner there on port 465", PASSES, { isKnown: true, connections: times(59) }, { service: "submissions" }],
  ["that address past three times the limit", BANNED, { isKnown: true, connections: times(60) }],
];

check("connection", examples, (facts, { ip, service, session, clientName }) =>
  decideConnect(POLICY, facts, { type: "CONNECT", ip, service, session, clientName }, NOON),
);

test("a ban past three times a limit says so", () => {
  const evidenceOf = (facts: Partial<Facts>) =>
    decideConnect(POLICY, factsOf({ connections: times(60), ...facts }), { type: "CONNECT", ...MAIL }, NOON).evidence;
  assert.partialDeepStrictEqual(evidenceOf({ isKnown: true }), { count: 61, limit: 60 });
  assert.partialDeepStrictEqual(evidenceOf({}), { count: 61, limit: 20 });
});

const SIMULATED = { ...POLICY, simulate: true };

test("an event that would be refused passes, says so, and its ban is simulated", () => {
  const facts = factsOf({ mails: times(10) });
  const [real, simulated] = [POLICY, SIMULATED].map((policy) => decide(policy, facts, DATA, NOON));
  assert.equal(real?.verdict, "refuse");
  assert.partialDeepStrictEqual(simulated, { verdict: "pass", simulated: "refuse", reason: real.reason });
  assert.equal(simulated?.counted, real?.counted);
  const changes = real?.changes.map((change) =>
    change.type === "BAN" ? { ...change, ban: { ...change.ban, simulated: true } } : change,
  );
  assert.deepEqual(simulated?.changes, changes);
});

test("simulation does not change a pass", () =>
  assert.deepEqual(decide(SIMULATED, factsOf(), DATA, NOON), decide(POLICY, factsOf(), DATA, NOON)));

test("a real ban applies, a simulated one does not", () => {
  const banned = decide(SIMULATED, factsOf({ ban: BAN, isAccountActive: false }), DATA, NOON);
  assert.equal(outcomeOf(banned), "refuse banned, uncounted");
  const passed = decide(SIMULATED, factsOf({ ban: { ...BAN, simulated: true } }), DATA, NOON);
  assert.partialDeepStrictEqual(passed, { verdict: "pass", reason: "banned", simulated: "refuse" });
});

test("administrators' rules for accounts apply, even behind a simulated ban", () => {
  for (const ban of [null, { ...BAN, simulated: true } as const]) {
    const facts = factsOf({ isAccountActive: false, ban });
    const decided = decide(SIMULATED, facts, { ...DATA, account: "anna@example.org" }, NOON);
    assert.partialDeepStrictEqual(decided, { verdict: "refuse", reason: "account_inactive" });
  }
});

test("a stranger is not greylisted, but would have been", () => {
  const facts = factsOf({ isFirstContact: true });
  const decided = decide({ ...SIMULATED, greylist: true }, facts, RECIPIENT, NOON);
  assert.partialDeepStrictEqual(decided, { verdict: "pass", reason: "greylist_asked", simulated: "defer" });
});

test("the mail of one of many new places is not marked", () => {
  const firstContactsFromAnywhere = Array.from({ length: 20 }, () => NOON);
  const decided = decide(SIMULATED, factsOf({ firstContactsFromAnywhere, isAmongFirstContacts: true }), DATA, NOON);
  assert.partialDeepStrictEqual(decided, { reason: "first_contacts_marked", simulated: "pass" });
});

test("guessing the administrator's password is refused as always, guessing a mailbox's only in simulation", () => {
  const event = { type: "LOGIN_ASKED", ip: MAIL.ip, service: "dashboard", login: "admin", passwordHash: "" } as const;
  assert.equal(decide(SIMULATED, factsOf({ ban: BAN }), event, NOON).verdict, "refuse");
  const facts = factsOf({ ban: { ...BAN, simulated: true } });
  assert.equal(decide(SIMULATED, facts, event, NOON).simulated, undefined);
  const user = { ...event, login: "anna@example.org" };
  assert.equal(decide(SIMULATED, facts, user, NOON).verdict, "pass");
});

test("a large provider is recognized by its domain and by hosts below it, in upper or lower case", () => {
  for (const name of ["google.com", "mail-lf1-f41.google.com", "MAIL-LF1-F41.GOOGLE.COM"])
    assert.ok(isProvider(POLICY, name), name);
  for (const other of ["notgoogle.com", "google.com.example.net", "google.co", "", null])
    assert.ok(!isProvider(POLICY, other), `${other}`);
});
