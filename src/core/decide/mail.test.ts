import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, factsOf, MAIL, NOON, POLICY, times } from "../../../test/kit/samples.ts";
import type { MailFacts } from "../events/mail.ts";
import type { Decision } from "./decision.ts";
import type { Facts } from "./facts.ts";
import { decideMail, decideMessage, decideRecipient } from "./mail.ts";

const USER = "user@example.org";
const GOOGLE = "mail-lf1-f41.google.com";

type Example = Readonly<{
  that: string;
  known?: Partial<Facts>;
  mail?: Partial<MailFacts>;
  answer: string;
  bans?: number;
  counted?: boolean;
}>;

const mails: readonly Example[] = [
  { that: "a stranger's first mail", answer: "pass below_limit" },
  { that: "a stranger's 10th in a minute", known: { mails: times(9) }, answer: "pass below_limit" },
  { that: "a stranger's 11th in a minute", known: { mails: times(10) }, answer: "refuse mail_limit", bans: 1 },
  { that: "a stranger's 51st in an hour", known: { mails: times(50, 60_000) }, answer: "refuse mail_limit", bans: 1 },
  { that: "a stranger's 201st in a day", known: { mails: times(200, 400_000) }, answer: "refuse mail_limit", bans: 1 },
  { that: "a stranger who is banned", known: { ban: BAN }, answer: "refuse banned", counted: false },
  {
    that: "the gateway, whoever mails through it",
    known: { protection: "gateway", ban: BAN, mails: times(500) },
    answer: "pass gateway",
    counted: false,
  },
  {
    that: "a large provider over the limit",
    known: { mails: times(500) },
    mail: { clientName: GOOGLE },
    answer: "defer provider_busy",
    counted: false,
  },
  {
    that: "a server whose mail is wanted, over the limit",
    known: { isWanted: true, mails: times(500) },
    answer: "defer wanted_busy",
    counted: false,
  },
  {
    that: "the same after an offence",
    known: { isWanted: true, offences: 1, mails: times(10) },
    answer: "refuse mail_limit",
    bans: 1,
  },
  {
    that: "an address from which an account signed in, over the limit",
    known: { known: true, mails: times(29) },
    answer: "defer known_address",
  },
  {
    that: "the same past three times the limit",
    known: { known: true, mails: times(30) },
    answer: "refuse mail_limit",
    bans: 1,
  },
  {
    that: "an account's 10th in a minute, whatever its address did",
    known: { accountMails: times(9), mails: times(500) },
    mail: { account: USER },
    answer: "pass below_limit",
  },
  {
    that: "an account's 11th in a minute",
    known: { accountMails: times(10) },
    mail: { account: USER },
    answer: "defer account_mail_limit",
    counted: false,
  },
  {
    that: "an account over its limit on an allow-listed address",
    known: { accountMails: times(10), protection: "allow_listed" },
    mail: { account: USER },
    answer: "defer account_mail_limit",
    counted: false,
  },
  {
    that: "an account on a banned address",
    known: { ban: BAN },
    mail: { account: USER },
    answer: "refuse banned",
    counted: false,
  },
  {
    that: "an account that may not sign in any more",
    known: { accountActive: false },
    mail: { account: USER },
    answer: "refuse account_inactive",
    counted: false,
  },
  { that: "a stranger's fifth in a connection", known: { sessionMails: 4 }, answer: "pass below_limit" },
  {
    that: "a stranger's sixth in a connection",
    known: { sessionMails: 5 },
    answer: "refuse session_limit",
    counted: false,
  },
];
for (const example of mails)
  check("DATA", example, (facts, mail) =>
    decideMail(POLICY, facts, { type: "MAIL", recipientCount: 1, ...mail }, NOON),
  );

const recipients: readonly Example[] = [
  { that: "a stranger to one of ours", answer: "pass below_limit" },
  { that: "a bounce, which has no sender", mail: { sender: "" }, answer: "pass below_limit" },
  { that: "a stranger as one of ours", mail: { sender: USER }, answer: "refuse own_sender", counted: false },
  {
    that: "a stranger as one of ours, in capitals",
    mail: { sender: "User@Example.ORG" },
    answer: "refuse own_sender",
    counted: false,
  },
  {
    that: "a stranger as a user of this machine, by its address",
    known: { senderHere: true },
    mail: { sender: "user@[203.0.113.1]" },
    answer: "refuse own_sender",
    counted: false,
  },
  { that: "a stranger of a domain below ours", mail: { sender: "u@sub.example.org" }, answer: "pass below_limit" },
  {
    that: "our domain as the local part of another's address",
    mail: { sender: '"a@example.org"@example.net' },
    answer: "pass below_limit",
  },
  {
    that: "an account that may not sign in any more",
    known: { accountActive: false },
    mail: { account: USER },
    answer: "refuse account_inactive",
    counted: false,
  },
  { that: "an account as itself", mail: { sender: USER, account: USER }, answer: "pass below_limit" },
  {
    that: "an allow-listed relay as one of ours",
    known: { protection: "allow_listed" },
    mail: { sender: USER },
    answer: "pass allow_listed",
    counted: false,
  },
  { that: "one that is banned", known: { ban: BAN }, answer: "refuse banned", counted: false },
  {
    that: "an account on a banned address",
    known: { ban: BAN },
    mail: { account: USER },
    answer: "refuse banned",
    counted: false,
  },
];
const doors: readonly Example[] = [
  {
    that: "one that does not exist",
    known: { recipient: "unknown" },
    answer: "refuse recipient_unknown",
    counted: true,
  },
  {
    that: "the eleventh that does not exist within an hour",
    known: { recipient: "unknown", probes: times(10) },
    answer: "refuse recipient_probing",
    counted: true,
    bans: 1,
  },
  {
    that: "the same of a large provider",
    known: { recipient: "unknown", probes: times(10) },
    mail: { clientName: "mail.google.com" },
    answer: "defer provider_busy",
  },
  {
    that: "the same from where an account signed in",
    known: { recipient: "unknown", probes: times(10), known: true },
    answer: "refuse recipient_unknown",
    counted: true,
  },
  {
    that: "the same from there, long past the limit",
    known: { recipient: "unknown", probes: times(100), known: true },
    answer: "refuse recipient_probing",
    counted: true,
    bans: 1,
  },
  { that: "a common target of spam", known: { recipient: "blocked" }, answer: "refuse recipient_blocked" },
  {
    that: "one that does not exist, named by an account",
    known: { recipient: "unknown" },
    mail: { account: USER },
    answer: "pass below_limit",
  },
];
for (const example of doors)
  check("RCPT", { counted: false, ...example }, (facts, mail) =>
    decideRecipient(POLICY, facts, { type: "RECIPIENT", listed: null, senderExists: null, ...mail }, NOON),
  );

test("a client on a block list is refused in Postfix's words, unless it is trusted", () => {
  const event = {
    type: "RECIPIENT",
    listed: { zone: "bl.example", meaning: "127.0.0.2, listed" },
    senderExists: null,
    ...MAIL,
  } as const;
  const refused = decideRecipient(POLICY, factsOf(), event, NOON);
  assert.deepEqual(
    [refused.verdict, refused.reason, refused.fill],
    ["refuse", "block_listed", { ip: MAIL.ip, zone: "bl.example" }],
  );
  const trusted = [
    decideRecipient(POLICY, factsOf({ known: true }), event, NOON),
    decideRecipient(POLICY, factsOf({ protection: "allow_listed" }), event, NOON),
    decideRecipient(POLICY, factsOf(), { ...event, account: USER }, NOON),
  ];
  assert.deepEqual(
    trusted.map(({ verdict }) => verdict),
    ["pass", "pass", "pass"],
  );
});

test("people to whom an account writes are remembered once its mail is taken, but for our own users", () => {
  const known = { type: "CORRESPOND", address: "shop@example.net", account: USER };
  const recipients = ["Shop@Example.net", "owner@EXAMPLE.org", `${"x".repeat(400)}@example.net`];
  const changesOf = (account: string | null, facts: Partial<Facts> = {}) => {
    const event = { type: "MESSAGE", recipientCount: 3, sizeBytes: 1, ...MAIL, account } as const;
    return decideMessage(POLICY, factsOf({ writtenTo: recipients, ...facts }), event).changes;
  };
  assert.deepEqual(changesOf(USER), [known]);
  assert.deepEqual(changesOf(null), []);
  assert.deepEqual(changesOf(USER, { ban: BAN }), [], "it was refused");
  const asked = { type: "RECIPIENT", listed: null, senderExists: null, ...MAIL, account: USER } as const;
  assert.deepEqual(decideRecipient(POLICY, factsOf(), { ...asked, recipient: "shop@example.net" }, NOON).changes, []);
});

test("a sender whose domain does not exist is refused; one of whom the DNS told nothing is not", () => {
  const event = { type: "RECIPIENT", listed: null, ...MAIL } as const;
  const answer = (senderExists: boolean | null, known: Partial<Facts> = {}): string =>
    decideRecipient(POLICY, factsOf(known), { ...event, senderExists }, NOON).reason;
  assert.equal(answer(false), "sender_unknown");
  assert.equal(answer(null), "below_limit");
  assert.equal(answer(true), "below_limit");
  assert.equal(answer(false, { protection: "allow_listed" }), "allow_listed");
});

test("a first contact is greylisted where that is on", () => {
  const event = { type: "RECIPIENT", listed: null, senderExists: null, ...MAIL } as const;
  const policy = { ...POLICY, greylist: true };
  const reasonOf = (known: Partial<Facts>, account: string | null = null): string =>
    decideRecipient(policy, factsOf(known), { ...event, account }, NOON).reason;
  assert.equal(reasonOf({ firstContact: true }), "greylist_asked");
  assert.equal(reasonOf({ firstContact: false }), "below_limit");
  assert.equal(reasonOf({ firstContact: true, known: true }), "below_limit", "an account signed in from there");
  assert.equal(reasonOf({ firstContact: true, protection: "allow_listed" }), "allow_listed");
  assert.equal(reasonOf({ firstContact: true }, USER), "below_limit");
  assert.equal(decideRecipient(POLICY, factsOf({ firstContact: true }), event, NOON).reason, "below_limit");
});

test("the sixth mail of a session is sent away, which counts for nothing; accounts have their own limits", () => {
  const event = { type: "MAIL", recipientCount: 1, ...MAIL } as const;
  assert.equal(decideMail(POLICY, factsOf({ sessionMails: 4 }), event, NOON).verdict, "pass");
  const sixth = decideMail(POLICY, factsOf({ sessionMails: 5 }), event, NOON);
  assert.deepEqual([sixth.reason, sixth.counted, sixth.changes], ["session_limit", false, []]);
  assert.equal(decideMail(POLICY, factsOf({ sessionMails: 5 }), { ...event, account: USER }, NOON).verdict, "pass");
});

for (const example of recipients)
  check("RCPT", { counted: false, ...example }, (facts, mail) =>
    decideRecipient(POLICY, facts, { type: "RECIPIENT", listed: null, senderExists: null, ...mail }, NOON),
  );

const messages: readonly Example[] = [
  { that: "a mail that went through", known: { mails: times(500) }, answer: "pass below_limit" },
  { that: "a ban that came meanwhile", known: { ban: BAN }, answer: "refuse banned", counted: false },
  {
    that: "a ban that came meanwhile on what is protected",
    known: { ban: BAN, protection: "loopback" },
    answer: "pass loopback",
    counted: false,
  },
];
for (const example of messages)
  check("end of message", example, (facts, mail) =>
    decideMessage(POLICY, facts, { type: "MESSAGE", recipientCount: 1, sizeBytes: 1_000, ...mail }),
  );

function check(stage: string, example: Example, decide: (facts: Facts, mail: MailFacts) => Decision): void {
  const { that, known = {}, mail = {}, answer, bans = 0, counted = true } = example;
  test(`${stage}: ${that}: ${answer}`, () => {
    const decided = decide(factsOf(known), { ...MAIL, ...mail });
    assert.equal(`${decided.verdict} ${decided.reason}`, answer);
    assert.equal(decided.changes.filter((change) => change.type === "BAN").length, bans);
    assert.equal(decided.counted, counted);
  });
}
