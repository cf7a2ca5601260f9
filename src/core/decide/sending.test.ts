// Invariant: A held account sends nothing, and an account from a new place reaches at most a fifth of its limits for strangers before it is held.

import assert from "node:assert/strict";
import { test } from "node:test";
import { check, type Example, USER } from "../../../test/kit/mail-examples.ts";
import { factsOf, MAIL, NOON, POLICY, RECIPIENT, times } from "../../../test/kit/samples.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS } from "../time.ts";
import { decide } from "./decide.ts";
import { NO_SENDING, type RecipientCounts, type SendingFacts, type SentMail } from "./facts.ts";
import { tooMuchForwarded } from "./sending.ts";

const VOUCHED = later(NOON, -10);
const EVIDENCE = { count: 101, limit: 100, windowMs: HOUR_MS, key: "limits.sending.strangers" };

/** `known` of them have received mail from the account before; those in its own domain are neither known nor strangers. */
function to(recipients: number, known = 0, own = 0): RecipientCounts {
  return { recipients, written: known, strangers: recipients - known - own };
}
function sent(agoMs: number, counts: RecipientCounts): SentMail {
  return { at: later(NOON, -agoMs), ...counts };
}
function sending(facts: Partial<SendingFacts>): { sending: SendingFacts } {
  return { sending: { ...NO_SENDING, ...facts } };
}

const recipients: readonly Example[] = [
  { that: "the 50th stranger", known: sending({ mail: to(49), recipient: "stranger" }), answer: "pass below_limit" },
  {
    that: "the 51st stranger of one mail",
    known: sending({ mail: to(50), recipient: "stranger" }),
    answer: "defer account_recipient_limit",
  },
  {
    that: "a known recipient after 50 strangers, who does not add to them",
    known: sending({ mail: to(50), recipient: "written" }),
    answer: "pass below_limit",
  },
  {
    that: "the 60th of those to whom it has written",
    known: sending({ mail: to(59, 59), recipient: "written" }),
    answer: "pass below_limit",
  },
  {
    that: "the 151st within an hour, known or not",
    known: sending({ mails: [sent(HOUR_MS - 1, to(100, 100))], mail: to(50, 50), recipient: "written" }),
    answer: "defer account_recipient_limit",
  },
  {
    that: "the same when the hour is over",
    known: sending({ mails: [sent(HOUR_MS, to(100, 100))], mail: to(50, 50), recipient: "written" }),
    answer: "pass below_limit",
  },
  {
    that: "the 501st within a day",
    known: sending({ mails: [sent(DAY_MS - 1, to(500, 500))], recipient: "written" }),
    answer: "defer account_recipient_limit",
  },
  {
    that: "the 100th recipient in its own domains in one mail",
    known: sending({ mail: to(99, 0, 99), recipient: "local" }),
    answer: "pass below_limit",
  },
  {
    that: "the 151st recipient in its own domains within an hour",
    known: sending({ mails: [sent(MINUTE_MS, to(100, 0, 100))], mail: to(50, 0, 50), recipient: "local" }),
    answer: "defer account_recipient_limit",
  },
  {
    that: "the 51st stranger after a mail to its own domains",
    known: sending({ mails: [sent(1_000, to(140, 40, 50))], recipient: "stranger" }),
    answer: "defer account_recipient_limit",
  },
  {
    that: "the 21st stranger from a new place, whose mail will be held",
    known: sending({ mail: to(60), recipient: "stranger", isNewPlace: () => true }),
    answer: "pass below_limit",
  },
  {
    that: "any while the account is held",
    known: sending({ held: EVIDENCE, mail: to(90), recipient: "stranger" }),
    answer: "pass below_limit",
  },
];
for (const example of recipients)
  check("RCPT of an account", { counted: false, ...example, mail: { account: USER } }, (facts, mail) =>
    decide(POLICY, facts, { ...RECIPIENT, ...mail }, NOON),
  );

const mails: readonly Example[] = [
  { that: "to 100 colleagues and 50 strangers", known: sending({ mail: to(150, 0, 100) }), answer: "pass below_limit" },
  { that: "to 50 strangers", known: sending({ mail: to(50) }), answer: "pass below_limit" },
  {
    that: "to 51 strangers",
    known: sending({ mail: to(51) }),
    answer: "defer account_recipient_limit",
    counted: false,
  },
  {
    that: "to the 100th stranger within an hour",
    known: sending({ mails: [sent(HOUR_MS - 1, to(99))], mail: to(1) }),
    answer: "pass below_limit",
  },
  {
    that: "to the 101st stranger within an hour",
    known: sending({ mails: [sent(HOUR_MS - 1, to(100))], mail: to(1) }),
    answer: "hold account_held",
  },
  {
    that: "to the 150th stranger within a day, never more than 100 an hour",
    known: sending({ mails: [sent(DAY_MS - 1, to(99)), sent(HOUR_MS, to(50))], mail: to(1) }),
    answer: "pass below_limit",
  },
  {
    that: "to the 151st stranger within a day",
    known: sending({ mails: [sent(DAY_MS - 1, to(100)), sent(HOUR_MS, to(50))], mail: to(1) }),
    answer: "hold account_held",
  },
  {
    that: "to the 151st stranger when the day of the first 100 is over",
    known: sending({ mails: [sent(DAY_MS, to(100)), sent(HOUR_MS, to(50))], mail: to(1) }),
    answer: "pass below_limit",
  },
  {
    that: "to the 31st stranger within a day from a new place",
    known: sending({ mails: [sent(DAY_MS - 1, to(15)), sent(HOUR_MS, to(15))], mail: to(1), isNewPlace: () => true }),
    answer: "hold account_held",
  },
  {
    that: "to one more after the owner vouched for 500",
    known: sending({ mails: [sent(1_000, to(500))], mail: to(1), vouchedAt: later(NOON, -1_000) }),
    answer: "pass below_limit",
  },
  {
    that: "to the 20th stranger from a new place",
    known: sending({ mail: to(20), isNewPlace: () => true }),
    answer: "pass below_limit",
  },
  {
    that: "to the 21st stranger from a new place",
    known: sending({ mail: to(21), isNewPlace: (since) => since === later(NOON, -DAY_MS) }),
    answer: "hold account_held",
  },
  {
    that: "to a friend from a new place after 20 strangers",
    known: sending({ mails: [sent(1_000, to(20))], mail: to(1, 1), isNewPlace: () => true }),
    answer: "pass below_limit",
  },
  {
    that: "to the 90 members of a list who have heard from it",
    known: sending({ mail: to(90, 90) }),
    answer: "pass below_limit",
  },
  {
    that: "to the 20th stranger, of whom 11 refused it",
    known: sending({ mails: [sent(HOUR_MS - 1, to(19))], mail: to(1), refused: () => 11 }),
    answer: "hold account_held",
  },
  {
    that: "to the 44th stranger, of whom 11 refused it: a quarter",
    known: sending({ mails: [sent(1_000, to(43))], mail: to(1), refused: () => 11 }),
    answer: "hold account_held",
  },
  {
    that: "to the 45th stranger, of whom 11 refused it: less than a quarter",
    known: sending({ mails: [sent(1_000, to(44))], mail: to(1), refused: () => 11 }),
    answer: "pass below_limit",
  },
  {
    that: "to the 12th stranger, of whom 10 refused it",
    known: sending({ mails: [sent(1_000, to(11))], mail: to(1), refused: () => 10 }),
    answer: "pass below_limit",
  },
  {
    that: "to the 10th stranger within the hour, where refusals are not looked up",
    known: sending({ mails: [sent(HOUR_MS, to(90)), sent(1_000, to(9))], mail: to(1), refused: () => assert.fail() }),
    answer: "pass below_limit",
  },
  {
    that: "to friends after refusals",
    known: sending({ mails: [sent(1_000, to(40))], mail: to(5, 5), refused: () => 30 }),
    answer: "pass below_limit",
  },
  {
    that: "to the 12th stranger after the owner vouched, of whom 10 refused it since",
    known: sending({ mails: [sent(9, to(11))], mail: to(1), vouchedAt: VOUCHED, refused: (at) => NOON - at }),
    answer: "pass below_limit",
  },
  {
    that: "of an account that is held",
    known: sending({ held: EVIDENCE, mail: to(1, 1) }),
    answer: "hold account_held",
  },
  {
    that: "the 11th in a minute of an account that is held",
    known: { ...sending({ held: EVIDENCE, mail: to(1) }), accountMails: times(10) },
    answer: "defer account_mail_limit",
    counted: false,
  },
  {
    that: "of a held account that was suspended",
    known: { ...sending({ held: EVIDENCE }), accountActive: false },
    answer: "refuse account_inactive",
    counted: false,
  },
];
for (const example of mails)
  check("DATA of an account", { ...example, mail: { account: USER } }, (facts, mail) =>
    decide(POLICY, facts, { type: "DATA", recipientCount: 1, ...mail }, NOON),
  );

test("the mail that goes past the limit says what was counted, and holds the account", () => {
  const facts = factsOf(sending({ mail: to(21), isNewPlace: () => true }));
  const decided = decide(POLICY, facts, { type: "DATA", recipientCount: 21, ...MAIL, account: USER }, NOON);
  const evidence = { ...EVIDENCE, count: 21, limit: 20 };
  assert.deepEqual(decided.evidence, evidence);
  const { prefix, ip } = facts;
  assert.deepEqual(decided.changes, [{ type: "HOLD_ACCOUNT", account: USER, prefix, ip, evidence }]);
});

test("refusals that hold an account are its evidence, within the hour", () => {
  const facts = factsOf(sending({ mails: [sent(1, to(20))], mail: to(1), refused: (at) => (NOON - at) / 300_000 }));
  const decided = decide(POLICY, facts, { type: "DATA", recipientCount: 1, ...MAIL, account: USER }, NOON);
  assert.deepEqual(decided.evidence, { count: 12, limit: 10, windowMs: HOUR_MS, key: "limits.sending.refused" });
});

test("a mail of a held account is noted at its end, with those of its recipients who are elsewhere", () => {
  const writtenTo = ["Bob@example.net", "bob@example.net", "ann@example.org"];
  const message = {
    type: "END_OF_MESSAGE",
    recipientCount: 3,
    sizeBytes: 1,
    ...MAIL,
    account: USER,
    queueId: "4ABCDE",
  } as const;
  for (const known of [sending({ held: EVIDENCE }), sending({ isMailHeld: true })]) {
    const decided = decide(POLICY, factsOf({ ...known, writtenTo }), message, NOON);
    assert.equal(`${decided.verdict} ${decided.reason}`, "hold account_held");
    const held = { type: "HOLD_MAIL", queueId: "4ABCDE", account: USER, ip: MAIL.ip, recipientCount: 3 };
    assert.deepEqual(decided.changes, [{ ...held, recipients: ["bob@example.net"] }]);
  }
  const nameless = decide(POLICY, factsOf(sending({ held: EVIDENCE })), { ...message, queueId: "" }, NOON);
  assert.deepEqual(nameless.changes, []);
});

test("a simulation holds nothing, but what was held before stays so", () => {
  const mail = { type: "DATA", recipientCount: 1, ...MAIL, account: USER } as const;
  const simulated = { ...POLICY, simulate: true };
  const begun = decide(simulated, factsOf(sending({ mail: to(101) })), mail, NOON);
  assert.deepEqual([begun.verdict, begun.simulated, begun.changes], ["pass", "hold", []]);
  const held = decide(simulated, factsOf(sending({ held: EVIDENCE })), mail, NOON);
  assert.deepEqual([held.verdict, held.simulated], ["hold", undefined]);
});

test("what leaves by a new forward counts with what its account sends", () => {
  const key = (copies: RecipientCounts, facts: Partial<SendingFacts> = {}) =>
    tooMuchForwarded(POLICY, { ...NO_SENDING, ...facts }, copies, NOON)?.key ?? null;
  assert.equal(key(to(1)), null);
  assert.equal(key(to(51)), "limits.sending.recipients_per_minute");
  const hour = { mails: [sent(HOUR_MS - 1, to(60)), sent(HOUR_MS - 2, to(40))] };
  assert.equal(key(to(1), hour), "limits.sending.strangers");
  assert.equal(key(to(1), { ...hour, isNewPlace: () => true, vouchedAt: VOUCHED }), null, "the owner has vouched");
  assert.equal(key(to(1, 1), { mails: [sent(HOUR_MS - 1, to(150, 150))] }), "limits.sending.recipients_per_hour");
  assert.equal(key(to(1, 1), { held: EVIDENCE }), "limits.sending.strangers", "of a held account nothing leaves");
});
