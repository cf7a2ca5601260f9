import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf } from "../../../test/kit/mail-examples.ts";
import { BAN, DATA, factsOf, MAIL, NOON, POLICY, RECIPIENT, times } from "../../../test/kit/samples.ts";
import { decide } from "./decide.ts";

const SIMULATED = { ...POLICY, simulate: true };

test("what would be refused passes, tells what it would be, and its ban is simulated", () => {
  const facts = factsOf({ mails: times(10) });
  const [real, simulated] = [POLICY, SIMULATED].map((policy) => decide(policy, facts, DATA, NOON));
  assert.deepEqual([real?.verdict, simulated?.verdict, simulated?.simulated], ["refuse", "pass", "refuse"]);
  assert.equal(simulated?.reason, real?.reason);
  assert.equal(simulated?.counted, real?.counted);
  assert.deepEqual(
    simulated?.changes,
    real?.changes.map((change) =>
      change.type === "BAN" ? { ...change, ban: { ...change.ban, simulated: true } } : change,
    ),
  );
});

test("what passes anyway is the same", () => {
  assert.deepEqual(decide(SIMULATED, factsOf(), DATA, NOON), decide(POLICY, factsOf(), DATA, NOON));
});

test("a ban that is real holds, a simulated one does not", () => {
  const banned = decide(SIMULATED, factsOf({ ban: BAN, accountActive: false }), DATA, NOON);
  assert.equal(outcomeOf(banned), "refuse banned, uncounted");
  const passed = decide(SIMULATED, factsOf({ ban: { ...BAN, simulated: true } }), DATA, NOON);
  assert.deepEqual([passed.verdict, passed.reason, passed.simulated], ["pass", "banned", "refuse"]);
});

test("administrators' rules for accounts hold, behind a simulated ban too", () => {
  for (const ban of [null, { ...BAN, simulated: true } as const]) {
    const facts = factsOf({ accountActive: false, ban });
    const decided = decide(SIMULATED, facts, { ...DATA, account: "anna@example.org" }, NOON);
    assert.deepEqual([decided.verdict, decided.reason], ["refuse", "account_inactive"]);
  }
});

test("a stranger is not greylisted, and would have been", () => {
  const facts = factsOf({ firstContact: true });
  const decided = decide({ ...SIMULATED, greylist: true }, facts, RECIPIENT, NOON);
  assert.deepEqual([decided.verdict, decided.reason, decided.simulated], ["pass", "greylist_asked", "defer"]);
});

test("the mail of one of many new places is not marked", () => {
  const firstContactsFromAnywhere = Array.from({ length: 20 }, () => NOON);
  const decided = decide(SIMULATED, factsOf({ firstContactsFromAnywhere, isAmongFirstContacts: true }), DATA, NOON);
  assert.deepEqual([decided.reason, decided.simulated], ["first_contacts_marked", "pass"]);
});

test("guessing at the administrator's password is refused as always, and at a mailbox's only simulated", () => {
  const event = { type: "LOGIN_ASKED", ip: MAIL.ip, service: "dashboard", login: "admin", passwordHash: "" } as const;
  assert.equal(decide(SIMULATED, factsOf({ ban: BAN }), event, NOON).verdict, "refuse");
  const facts = factsOf({ ban: { ...BAN, simulated: true } });
  assert.equal(decide(SIMULATED, facts, event, NOON).simulated, undefined);
  const user = { ...event, login: "anna@example.org" };
  assert.equal(decide(SIMULATED, facts, user, NOON).verdict, "pass");
});
