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
  ["the 50th stranger", "pass below_limit, uncounted", sending({ mail: to(49), recipient: "stranger" })],
  [
    "the 51st stranger of one mail",
    "defer account_recipient_limit, uncounted",
    sending({ mail: to(50), recipient: "stranger" }),
  ],
  [
    "a known recipient after 50 strangers, who does not add to them",
    "pass below_limit, uncounted",
    sending({ mail: to(50), recipient: "written" }),
  ],
  [
    "the 60th of those to whom it has written",
    "pass below_limit, uncounted",
    sending({ mail: to(59, 59), recipient: "written" }),
  ],
  [
    "the 151st within an hour, known or not",
    "defer account_recipient_limit, uncounted",
    sending({ mails: [sent(HOUR_MS - 1, to(100, 100))], mail: to(50, 50), recipient: "written" }),
  ],
  [
    "the same when the hour is over",
    "pass below_limit, uncounted",
    sending({ mails: [sent(HOUR_MS, to(100, 100))], mail: to(50, 50), recipient: "written" }),
  ],
  [
    "the 501st within a day",
    "defer account_recipient_limit, uncounted",
    sending({ mails: [sent(DAY_MS - 1, to(500, 500))], recipient: "written" }),
  ],
  [
    "the 100th recipient in its own domains in one mail",
    "pass below_limit, uncounted",
    sending({ mail: to(99, 0, 99), recipient: "local" }),
  ],
  [
    "the 151st recipient in its own domains within an hour",
    "defer account_recipient_limit, uncounted",
    sending({ mails: [sent(MINUTE_MS, to(100, 0, 100))], mail: to(50, 0, 50), recipient: "local" }),
  ],
  [
    "the 51st stranger after a mail to its own domains",
    "defer account_recipient_limit, uncounted",
    sending({ mails: [sent(1_000, to(140, 40, 50))], recipient: "stranger" }),
  ],
  [
    "the 21st stranger from a new place, whose mail will be held",
    "pass below_limit, uncounted",
    sending({ mail: to(60), recipient: "stranger", isNewPlace: () => true }),
  ],
  ["a friend just after 51 strangers", "pass below_limit, uncounted", sending({ mails: [sent(1, to(51))] })],
  [
    "any while the account is held",
    "pass below_limit, uncounted",
    sending({ holdEvidence: EVIDENCE, mail: to(90), recipient: "stranger" }),
  ],
];
check("RCPT of an account", recipients, (facts, mail) =>
  decide(POLICY, facts, { ...RECIPIENT, ...mail, account: USER }, NOON),
);

const mails: readonly Example[] = [
  ["to 100 colleagues and 50 strangers", "pass below_limit", sending({ mail: to(150, 0, 100) })],
  ["to 50 strangers", "pass below_limit", sending({ mail: to(50) })],
  ["to 51 strangers", "defer account_recipient_limit, uncounted", sending({ mail: to(51) })],
  [
    "to the 100th stranger within an hour",
    "pass below_limit",
    sending({ mails: [sent(HOUR_MS - 1, to(99))], mail: to(1) }),
  ],
  [
    "to the 101st stranger within an hour",
    "hold account_held, HOLD_ACCOUNT",
    sending({ mails: [sent(HOUR_MS - 1, to(100))], mail: to(1) }),
  ],
  [
    "to the 150th stranger within a day, never more than 100 an hour",
    "pass below_limit",
    sending({ mails: [sent(DAY_MS - 1, to(99)), sent(HOUR_MS, to(50))], mail: to(1) }),
  ],
  [
    "to the 151st stranger within a day",
    "hold account_held, HOLD_ACCOUNT",
    sending({ mails: [sent(DAY_MS - 1, to(100)), sent(HOUR_MS, to(50))], mail: to(1) }),
  ],
  [
    "to the 151st stranger when the day of the first 100 is over",
    "pass below_limit",
    sending({ mails: [sent(DAY_MS, to(100)), sent(HOUR_MS, to(50))], mail: to(1) }),
  ],
  [
    "to the 31st stranger within a day from a new place",
    "hold account_held, HOLD_ACCOUNT",
    sending({ mails: [sent(DAY_MS - 1, to(15)), sent(HOUR_MS, to(15))], mail: to(1), isNewPlace: () => true }),
  ],
  [
    "to one more after the owner vouched for 500",
    "pass below_limit",
    sending({ mails: [sent(1_000, to(500))], mail: to(1), vouchedAt: later(NOON, -1_000) }),
  ],
  ["to the 20th stranger from a new place", "pass below_limit", sending({ mail: to(20), isNewPlace: () => true })],
  [
    "to the 21st stranger from a new place",
    "hold account_held, HOLD_ACCOUNT",
    sending({ mail: to(21), isNewPlace: (after) => after === later(NOON, -DAY_MS) }),
  ],
  [
    "to a friend from a new place after 20 strangers",
    "pass below_limit",
    sending({ mails: [sent(1_000, to(20))], mail: to(1, 1), isNewPlace: () => true }),
  ],
  ["to the 90 members of a list who have heard from it", "pass below_limit", sending({ mail: to(90, 90) })],
  [
    "to the 20th stranger, of whom 11 refused it",
    "hold account_held, HOLD_ACCOUNT",
    sending({ mails: [sent(HOUR_MS - 1, to(19))], mail: to(1), refused: () => 11 }),
  ],
  [
    "to the 44th stranger, of whom 11 refused it: a quarter",
    "hold account_held, HOLD_ACCOUNT",
    sending({ mails: [sent(1_000, to(43))], mail: to(1), refused: () => 11 }),
  ],
  [
    "to the 45th stranger, of whom 11 refused it: less than a quarter",
    "pass below_limit",
    sending({ mails: [sent(1_000, to(44))], mail: to(1), refused: () => 11 }),
  ],
  [
    "to the 12th stranger, of whom 10 refused it",
    "pass below_limit",
    sending({ mails: [sent(1_000, to(11))], mail: to(1), refused: () => 10 }),
  ],
  [
    "to the 10th stranger within the hour, where refusals are not looked up",
    "pass below_limit",
    sending({ mails: [sent(HOUR_MS, to(90)), sent(1_000, to(9))], mail: to(1), refused: () => assert.fail() }),
  ],
  [
    "to friends after refusals",
    "pass below_limit",
    sending({ mails: [sent(1_000, to(40))], mail: to(5, 5), refused: () => 30 }),
  ],
  [
    "to the 12th stranger after the owner vouched, of whom 10 refused it since",
    "pass below_limit",
    sending({ mails: [sent(9, to(11))], mail: to(1), vouchedAt: VOUCHED, refused: (at) => NOON - at }),
  ],
  ["of an account that is held", "hold account_held", sending({ holdEvidence: EVIDENCE, mail: to(1, 1) })],
  [
    "the 11th in a minute of an account that is held",
    "defer account_mail_limit, uncounted",
    sending({ holdEvidence: EVIDENCE, mail: to(1), mails: times(10).map((at) => ({ at, ...to(1) })) }),
  ],
  [
    "of a held account that was suspended",
    "refuse account_inactive, uncounted",
    { ...sending({ holdEvidence: EVIDENCE }), accountActive: false },
  ],
];
check("DATA of an account", mails, (facts, mail) =>
  decide(POLICY, facts, { type: "DATA", recipientCount: 1, ...mail, account: USER }, NOON),
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
  for (const known of [sending({ holdEvidence: EVIDENCE }), sending({ isMailHeld: true })]) {
    const decided = decide(POLICY, factsOf({ ...known, writtenTo }), message, NOON);
    assert.equal(`${decided.verdict} ${decided.reason}`, "hold account_held");
    const held = { type: "HOLD_MAIL", queueId: "4ABCDE", account: USER, ip: MAIL.ip, recipientCount: 3 };
    assert.deepEqual(decided.changes, [{ ...held, recipients: ["bob@example.net"] }]);
  }
  const nameless = decide(POLICY, factsOf(sending({ holdEvidence: EVIDENCE })), { ...message, queueId: "" }, NOON);
  assert.deepEqual(nameless.changes, []);
});

test("a simulation holds nothing, but what was held before stays so", () => {
  const mail = { type: "DATA", recipientCount: 1, ...MAIL, account: USER } as const;
  const simulated = { ...POLICY, simulate: true };
  const begun = decide(simulated, factsOf(sending({ mail: to(101) })), mail, NOON);
  assert.deepEqual([begun.verdict, begun.simulated, begun.changes], ["pass", "hold", []]);
  const held = decide(simulated, factsOf(sending({ holdEvidence: EVIDENCE })), mail, NOON);
  assert.deepEqual([held.verdict, held.simulated], ["hold", undefined]);
});

test("what leaves by a new forward counts with what its account sends; by an old one, only its recipients", () => {
  const key = (copies: RecipientCounts, facts: Partial<SendingFacts> = {}, isNew = true) =>
    tooMuchForwarded(POLICY, { ...NO_SENDING, ...facts, isNew }, copies, NOON)?.key ?? null;
  assert.equal(key(to(1)), null);
  assert.equal(key(to(51)), "limits.sending.recipients_per_minute");
  const hour = { mails: [sent(HOUR_MS - 1, to(60)), sent(HOUR_MS - 2, to(40))] };
  assert.equal(key(to(1), hour), "limits.sending.strangers");
  assert.equal(key(to(1), { ...hour, isNewPlace: () => true, vouchedAt: VOUCHED }), null, "the owner has vouched");
  assert.equal(key(to(1, 1), { mails: [sent(HOUR_MS - 1, to(150, 150))] }), "limits.sending.recipients_per_hour");
  assert.equal(
    key(to(1, 1), { holdEvidence: EVIDENCE }),
    "limits.sending.strangers",
    "of a held account nothing leaves",
  );
  assert.equal(key(to(1), { ...hour, holdEvidence: EVIDENCE }, false), null);
  assert.equal(key(to(51), {}, false), "limits.sending.recipients_per_minute");
});
