// Invariant: Asking for recipients from many networks reveals few names.
import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf } from "../../../test/kit/mail-examples.ts";
import { factsOf, MAIL, NOON, POLICY, times } from "../../../test/kit/samples.ts";
import { HOUR_MS, later, MINUTE_MS, SECOND_MS } from "../time.ts";
import { decideFirstContact, decideProbingFromAnywhere, markFirstContact } from "./crowd.ts";
import type { Facts } from "./facts.ts";
import type { Policy } from "./policy.ts";

// A repeated question does not count, so it never leads to a ban.
const DEFERRED = "defer recipients_deferred, uncounted";
const HIDDEN = "pass recipient_hidden, uncounted";
const policy: Policy = { ...POLICY, greylist: true };
/** The hundredth was a second ago. */
const HARVESTED = times(100, SECOND_MS);

function harvest(known: Partial<Facts>, of: Policy = policy, clientName: string | null = null) {
  const event = { type: "RECIPIENT", blockListing: null, senderExists: true, ...MAIL, clientName } as const;
  const facts = factsOf({ isFirstContact: true, probesFromAnywhere: HARVESTED, ...known });
  return decideProbingFromAnywhere(of, facts, event, NOON);
}
const answer = (...asked: Parameters<typeof harvest>) => {
  const decided = harvest(...asked);
  return decided === null ? null : outcomeOf(decided);
};

test("past the limit, a network that asked for an unknown recipient gets one answer for all names", () => {
  for (const recipient of ["exists", "unknown", "blocked"] as const)
    assert.equal(answer({ recipient, namesProbed: 1 }), DEFERRED, recipient);
  const evidence = { count: 100, limit: 100, windowMs: HOUR_MS, key: "limits.recipients.unknown_server_per_hour" };
  assert.deepEqual(harvest({ namesProbed: 1 })?.evidence, evidence);
});

test("to another network, Postgrey answers for known and unknown recipients", () => {
  assert.equal(answer({ recipient: "exists" }), null, "as usual");
  for (const recipient of ["unknown", "blocked"] as const) assert.equal(answer({ recipient }), HIDDEN, recipient);
});

test("a second extension gets one answer, whether its mailbox exists or not", () => {
  for (const recipient of ["exists", "unknown"] as const)
    assert.equal(answer({ recipient, hasOtherExtension: true }), DEFERRED, recipient);
  assert.equal(answer({ isKnown: true, hasOtherExtension: true }), null);
});

test("known places and expected senders are answered as usual", () => {
  for (const who of [{ isKnown: true }, { isFirstContact: false }] as const)
    assert.equal(answer({ ...who, recipient: "unknown", namesProbed: 1 }), null);
});

test("a wanted server gets no list of names, but may ask for a few outdated ones", () => {
  assert.equal(answer({ isWanted: true, recipient: "exists", namesProbed: 2 }), null);
  assert.equal(answer({ isWanted: true, recipient: "unknown", namesProbed: 2 }), HIDDEN);
  for (const recipient of ["exists", "unknown"] as const)
    assert.equal(answer({ isWanted: true, recipient, namesProbed: 3 }), DEFERRED, recipient);
});

test("without greylisting, all strangers except large providers and wanted servers wait", () => {
  const off = { ...policy, greylist: false };
  assert.equal(answer({ isFirstContact: false }, off), DEFERRED);
  assert.equal(answer({ isFirstContact: false }, off, "mail-x.google.com"), null);
  assert.equal(answer({ isFirstContact: false, isWanted: true }, off), null);
});

// Uncounted: the connection was counted before.
const WAITS = "defer first_contacts_deferred, uncounted";
const PASSES = "pass greylist_asked, uncounted";
const CROWD = times(20, SECOND_MS);
const first = (known: Partial<Facts>): string =>
  outcomeOf(decideFirstContact(policy, factsOf({ firstContactsFromAnywhere: CROWD, ...known }), NOON));

test("while many new places write, a first mail waits until twenty minutes after the first connection", () => {
  assert.equal(first({ connections: [NOON] }), WAITS);
  assert.equal(first({ connections: [later(NOON, 1 - 20 * MINUTE_MS), NOON] }), WAITS);
  assert.equal(first({ connections: [later(NOON, -20 * MINUTE_MS), NOON] }), PASSES);
  assert.equal(first({ connections: [later(NOON, -2 * HOUR_MS), NOON] }), WAITS, "an earlier visit is not a retry");
  assert.equal(first({ connections: [NOON], isWanted: true }), PASSES);
  assert.equal(first({ connections: [NOON], firstContactsFromAnywhere: CROWD.slice(1) }), PASSES);
  assert.equal(first({ connections: [] }), WAITS);
});

test("the mail of a new place among many is marked for the spam filter", () => {
  const marked = (known: Partial<Facts>) =>
    markFirstContact(policy, factsOf({ firstContactsFromAnywhere: CROWD, isAmongFirstContacts: true, ...known }), NOON)
      ?.reason ?? null;
  assert.equal(marked({}), "first_contacts_marked");
  for (const trusted of [{ isKnown: true }, { isWanted: true }]) assert.equal(marked(trusted), null);
  for (const rare of [{ isAmongFirstContacts: false }, { firstContactsFromAnywhere: [] }])
    assert.equal(marked(rare), null);
});
