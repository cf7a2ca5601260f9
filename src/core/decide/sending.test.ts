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
const PASSES = "pass below_limit, uncounted";
const LEAVES = "pass below_limit";
const LIMITED = "defer account_recipient_limit, uncounted";
const HELD = "hold account_held, HOLD_ACCOUNT";
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
/** One more mail, to a stranger, after these. */
function after(mails: readonly SentMail[], facts: Partial<SendingFacts> = {}) {
  return sending({ mails, mail: to(1), ...facts });
}

const recipients: readonly Example[] = [
  ["the 50th stranger", PASSES, sending({ mail: to(49), recipient: "stranger" })],
  ["the 51st stranger of one mail", LIMITED, sending({ mail: to(50), recipient: "stranger" })],
  [
    "a known recipient after 50 strangers, who does not add to them",
    PASSES,
    sending({ mail: to(50), recipient: "written" }),
  ],
  ["the 60th of those to whom it has written", PASSES, sending({ mail: to(59, 59), recipient: "written" })],
  [
    "the 151st within an hour, known or not",
    LIMITED,
    sending({ mails: [sent(HOUR_MS - 1, to(100, 100))], mail: to(50, 50), recipient: "written" }),
  ],
  [
    "the same when the hour is over",
    PASSES,
    sending({ mails: [sent(HOUR_MS, to(100, 100))], mail: to(50, 50), recipient: "written" }),
  ],
  ["the 501st within a day", LIMITED, sending({ mails: [sent(DAY_MS - 1, to(500, 500))], recipient: "written" })],
  ["the 100th recipient in its own domains in one mail", PASSES, sending({ mail: to(99, 0, 99), recipient: "local" })],
  [
    "the 151st recipient in its own domains within an hour",
    LIMITED,
    sending({ mails: [sent(MINUTE_MS, to(100, 0, 100))], mail: to(50, 0, 50), recipient: "local" }),
  ],
  [
    "the 51st stranger after a mail to its own domains",
    LIMITED,
    sending({ mails: [sent(1_000, to(140, 40, 50))], recipient: "stranger" }),
  ],
  [
    "the 21st stranger from a new place, whose mail will be held",
    PASSES,
    sending({ mail: to(60), recipient: "stranger", isNewPlace: () => true }),
  ],
  ["a friend just after 51 strangers", PASSES, sending({ mails: [sent(1, to(51))] })],
  ["any while the account is held", PASSES, sending({ holdEvidence: EVIDENCE, mail: to(90), recipient: "stranger" })],
];
check("RCPT of an account", recipients, (facts, mail) =>
  decide(POLICY, facts, { ...RECIPIENT, ...mail, account: USER }, NOON),
);

const mails: readonly Example[] = [
  ["to 100 colleagues and 50 strangers", LEAVES, sending({ mail: to(150, 0, 100) })],
  ["to 50 strangers", LEAVES, sending({ mail: to(50) })],
  ["to 51 strangers", LIMITED, sending({ mail: to(51) })],
  ["to the 100th stranger within an hour", LEAVES, after([sent(HOUR_MS - 1, to(99))])],
  ["to the 101st stranger within an hour", HELD, after([sent(HOUR_MS - 1, to(100))])],
  [
    "to the 150th stranger within a day, never more than 100 an hour",
    LEAVES,
    after([sent(DAY_MS - 1, to(99)), sent(HOUR_MS, to(50))]),
  ],
  ["to the 151st stranger within a day", HELD, after([sent(DAY_MS - 1, to(100)), sent(HOUR_MS, to(50))])],
  [
    "to the 151st stranger when the day of the first 100 is over",
    LEAVES,
    after([sent(DAY_MS, to(100)), sent(HOUR_MS, to(50))]),
  ],
  [
    "to the 31st stranger within a day from a new place",
    HELD,
    after([sent(DAY_MS - 1, to(15)), sent(HOUR_MS, to(15))], { isNewPlace: () => true }),
  ],
  [
    "to one more after the owner vouched for 500",
    LEAVES,
    after([sent(1_000, to(500))], { vouchedAt: later(NOON, -1_000) }),
  ],
  ["to the 20th stranger from a new place", LEAVES, sending({ mail: to(20), isNewPlace: () => true })],
  [
    "to the 21st stranger from a new place",
    HELD,
    sending({ mail: to(21), isNewPlace: (since) => since === later(NOON, -DAY_MS) }),
  ],
  [
    "to a friend from a new place after 20 strangers",
    LEAVES,
    sending({ mails: [sent(1_000, to(20))], mail: to(1, 1), isNewPlace: () => true }),
  ],
  ["to the 90 members of a list who have heard from it", LEAVES, sending({ mail: to(90, 90) })],
  ["to the 20th stranger, of whom 11 refused it", HELD, after([sent(HOUR_MS - 1, to(19))], { refused: () => 11 })],
  ["to the 44th stranger, of whom 11 refused it: a quarter", HELD, after([sent(1_000, to(43))], { refused: () => 11 })],
  [
    "to the 45th stranger, of whom 11 refused it: less than a quarter",
    LEAVES,
    after([sent(1_000, to(44))], { refused: () => 11 }),
  ],
  ["to the 12th stranger, of whom 10 refused it", LEAVES, after([sent(1_000, to(11))], { refused: () => 10 })],
  [
    "to the 10th stranger within the hour, where refusals are not looked up",
    LEAVES,
    after([sent(HOUR_MS, to(90)), sent(1_000, to(9))], { refused: () => assert.fail() }),
  ],
  ["to friends after refusals", LEAVES, sending({ mails: [sent(1_000, to(40))], mail: to(5, 5), refused: () => 30 })],
  [
    "to the 12th stranger after the owner vouched, of whom 10 refused it since",
    LEAVES,
    after([sent(9, to(11))], { vouchedAt: VOUCHED, refused: (at) => NOON - at }),
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
