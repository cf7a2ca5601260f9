// Invariant: A held account sends nothing, and an account from a new place reaches at most a fifth of its limits for strangers before it is held.

import assert from "node:assert/strict";
import { test } from "node:test";
import { check, type Example, USER } from "../../../test/kit/mail-examples.ts";
import { DATA, factsOf, MAIL, MESSAGE, NOON, POLICY, RECIPIENT } from "../../../test/kit/samples.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS, type Millis } from "../time.ts";
import { decide } from "./decide.ts";
import { NO_SENDING, type RecipientCounts, type SendingFacts, type SentMail } from "./facts.ts";
import { tooMuchForwarded } from "./sending.ts";

const VOUCHED = later(NOON, -10);
const PASSES = "pass below_limit, uncounted";
const LEAVES = "pass below_limit";
const LIMITED = "defer account_recipient_limit, uncounted";
const HELD = "hold account_held, HOLD_ACCOUNT";
const EVIDENCE = { count: 101, limit: 100, windowMs: HOUR_MS, key: "limits.sending.strangers" };
const HOLD = { holdEvidence: EVIDENCE };

/** `known` of them have received mail from the account before; those in its own domain are neither known nor strangers. */
function to(recipients: number, known = 0, own = 0): RecipientCounts {
  return { recipients, written: known, strangers: recipients - known - own };
}
function sent(agoMs: number, counts: RecipientCounts): SentMail {
  return { at: later(NOON, -agoMs), ...counts };
}
const sending = (facts: Partial<SendingFacts>) => ({ sending: { ...NO_SENDING, ...facts } });
/** A recipient of this kind, after the earlier recipients of its mail and of earlier mails. */
function naming(recipient: SendingFacts["recipient"], mail: RecipientCounts, ...mails: readonly SentMail[]) {
  return sending({ recipient, mail, mails });
}
/** One more mail, to a stranger. `strangers`: how many each earlier mail had, by its age in milliseconds. */
function after(strangers: Readonly<Record<number, number>>, facts: Partial<SendingFacts> = {}) {
  const mails = Object.entries(strangers).map(([agoMs, count]) => sent(Number(agoMs), to(count)));
  return sending({ mails: mails.toReversed(), mail: to(1), ...facts });
}
const NEW_PLACE = { isNewPlace: (since: Millis) => since === later(NOON, -DAY_MS) };
const STRANGERS_FROM_THERE = sending({ mail: to(60), recipient: "stranger", ...NEW_PLACE });
const refusing = (count: number) => ({ refused: () => count });

const recipients: readonly Example[] = [
  ["a known recipient after 50 strangers, who does not add to them", PASSES, naming("written", to(50))],
  ["the 151st within an hour, known or not", LIMITED, naming("written", to(50, 50), sent(HOUR_MS - 1, to(100, 100)))],
  ["the 151st when the hour is over", PASSES, naming("written", to(50, 50), sent(HOUR_MS, to(100, 100)))],
  ["the 100th recipient in its own domains in one mail", PASSES, naming("local", to(99, 0, 99))],
  ["the 151st of those within an hour", LIMITED, naming("local", to(50, 0, 50), sent(MINUTE_MS, to(100, 0, 100)))],
  ["the 51st stranger after a mail to its own domains", LIMITED, naming("stranger", to(0), sent(1, to(140, 40, 50)))],
  ["the 21st stranger from a new place, whose mail will be held", PASSES, STRANGERS_FROM_THERE],
  ["a friend just after 51 strangers", PASSES, sending({ mails: [sent(1, to(51))] })],
];
check("RCPT of an account", recipients, (facts, mail) =>
  decide(POLICY, facts, { ...RECIPIENT, ...mail, account: USER }, NOON),
);

const mails: readonly Example[] = [
  ["to 100 colleagues and 50 strangers", LEAVES, sending({ mail: to(150, 0, 100) })],
  ["to 51 strangers", LIMITED, sending({ mail: to(51) })],
  ["to the 100th stranger within an hour", LEAVES, after({ [HOUR_MS - 1]: 99 })],
  ["to the 101st stranger within an hour", HELD, after({ [HOUR_MS - 1]: 100 })],
  ["to the 150th stranger of a day, never more than 100 an hour", LEAVES, after({ [DAY_MS - 1]: 99, [HOUR_MS]: 50 })],
  ["to the 151st stranger within a day", HELD, after({ [DAY_MS - 1]: 100, [HOUR_MS]: 50 })],
  ["to the 151st stranger when the day of the first 100 is over", LEAVES, after({ [DAY_MS]: 100, [HOUR_MS]: 50 })],
  ["to the 31st stranger of a day from a new place", HELD, after({ [DAY_MS - 1]: 15, [HOUR_MS]: 15 }, NEW_PLACE)],
  ["to one more after the owner vouched for 500", LEAVES, after({ 1_000: 500 }, { vouchedAt: later(NOON, -1_000) })],
  ["to a friend from there after 20 strangers", LEAVES, after({ 1_000: 20 }, { mail: to(1, 1), ...NEW_PLACE })],
  ["to the 20th stranger, of whom 11 refused it", HELD, after({ [HOUR_MS - 1]: 19 }, refusing(11))],
  ["to the 44th stranger, of whom 11 refused it: a quarter", HELD, after({ 1_000: 43 }, refusing(11))],
  ["to the 45th stranger, of whom 11 refused it: less than a quarter", LEAVES, after({ 1_000: 44 }, refusing(11))],
  ["to the 12th stranger, of whom 10 refused it", LEAVES, after({ 1_000: 11 }, refusing(10))],
  [
    "to the 10th stranger within the hour, where refusals are not looked up",
    LEAVES,
    after({ [HOUR_MS]: 90, 1_000: 9 }, { refused: () => assert.fail() }),
  ],
  ["to friends after refusals", LEAVES, after({ 1_000: 40 }, { mail: to(5, 5), ...refusing(30) })],
  [
    "to the 12th stranger after the owner vouched, of whom 10 refused it since",
    LEAVES,
    after({ 9: 11 }, { vouchedAt: VOUCHED, refused: (at) => NOON - at }),
  ],
  ["of a held account with 199 held mails", "hold account_held", sending({ ...HOLD, heldMails: 199 })],
  ["of a held account with 200 held mails", "defer account_hold_full, uncounted", sending({ ...HOLD, heldMails: 200 })],
  [
    "of a held and suspended account",
    "refuse account_inactive, uncounted",
    { ...sending(HOLD), isAccountActive: false },
  ],
];
check("DATA of an account", mails, (facts, mail) => decide(POLICY, facts, { ...DATA, ...mail, account: USER }, NOON));

test("the mail that exceeds the limit says what was counted, and holds the account", () => {
  const facts = factsOf(sending({ mail: to(21), ...NEW_PLACE }));
  const decided = decide(POLICY, facts, { ...DATA, recipientCount: 21, account: USER }, NOON);
  const evidence = { ...EVIDENCE, count: 21, limit: 20 };
  assert.deepEqual(decided.evidence, evidence);
  const { prefix, ip } = facts;
  assert.deepEqual(decided.changes, [{ type: "HOLD_ACCOUNT", account: USER, prefix, ip, evidence }]);
});

test("refusals that hold an account are its evidence, within the hour", () => {
  const facts = factsOf(sending({ mails: [sent(1, to(20))], mail: to(1), refused: (at) => (NOON - at) / 300_000 }));
  const decided = decide(POLICY, facts, { ...DATA, account: USER }, NOON);
  assert.deepEqual(decided.evidence, { count: 12, limit: 10, windowMs: HOUR_MS, key: "limits.sending.refused" });
});

test("a held account's mail is noted at its end, with its recipients in other domains", () => {
  const writtenTo = ["Bob@example.net", "bob@example.net", "ann@example.org"];
  const message = { ...MESSAGE, recipientCount: 3, account: USER, queueId: "4ABCDE" };
  for (const known of [sending(HOLD), sending({ isMailHeld: true })]) {
    const decided = decide(POLICY, factsOf({ ...known, writtenTo }), message, NOON);
    assert.equal(`${decided.verdict} ${decided.reason}`, "hold account_held");
    const held = { type: "HOLD_MAIL", queueId: "4ABCDE", account: USER, ip: MAIL.ip, recipientCount: 3 };
    assert.deepEqual(decided.changes, [{ ...held, recipients: ["bob@example.net"] }]);
  }
  const nameless = decide(POLICY, factsOf(sending(HOLD)), { ...message, queueId: "" }, NOON);
  assert.deepEqual(nameless.changes, []);
});

test("a simulation holds nothing, but an account that was held stays held", () => {
  const mail = { ...DATA, account: USER };
  const simulated = { ...POLICY, simulate: true };
  const begun = decide(simulated, factsOf(sending({ mail: to(101) })), mail, NOON);
  assert.deepEqual([begun.verdict, begun.simulated, begun.changes], ["pass", "hold", []]);
  const held = decide(simulated, factsOf(sending(HOLD)), mail, NOON);
  assert.deepEqual([held.verdict, held.simulated], ["hold", undefined]);
});

test("copies through a new forward count with what its account sends; through an old one, only their recipients count", () => {
  const key = (copies: RecipientCounts, facts: Partial<SendingFacts> = {}, isNew = true) =>
    tooMuchForwarded(POLICY, { ...NO_SENDING, ...facts, isNew }, copies, NOON)?.key ?? null;
  assert.equal(key(to(1)), null);
  assert.equal(key(to(51)), "limits.sending.recipients_per_minute");
  const hour = { mails: [sent(HOUR_MS - 1, to(60)), sent(HOUR_MS - 2, to(40))] };
  assert.equal(key(to(1), hour), "limits.sending.strangers");
  assert.equal(key(to(1), { ...hour, ...NEW_PLACE, vouchedAt: VOUCHED }), null, "the owner has vouched");
  assert.equal(key(to(1, 1), { mails: [sent(HOUR_MS - 1, to(150, 150))] }), "limits.sending.recipients_per_hour");
  assert.equal(key(to(1, 1), HOLD), "limits.sending.strangers", "nothing leaves a held account");
  assert.equal(key(to(1), { ...hour, ...HOLD }, false), null);
  assert.equal(key(to(51), {}, false), "limits.sending.recipients_per_minute");
});
