import assert from "node:assert/strict";
import { test } from "node:test";
import { check, type Example, USER } from "../../../test/kit/mail-examples.ts";
import { BAN, factsOf, MAIL, NOON, POLICY, RECIPIENT, times } from "../../../test/kit/samples.ts";
import type { Facts } from "./facts.ts";
import { decideRecipient } from "./mail.ts";

const STAFF = ["a@x.test", "b@x.test", "c@x.test"];

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
    that: "our domain as the local part of a foreign address",
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
  {
    that: "the same from an address that three accounts know",
    known: {
      recipient: "unknown",
      probes: times(100),
      known: true,
      knownAccounts: STAFF,
    },
    answer: "defer known_address",
  },
  {
    that: "one that exists, from there, which must look the same",
    known: { probes: times(100), known: true, knownAccounts: STAFF },
    answer: "defer known_address",
  },
  {
    that: "one that exists, from an address that two accounts know",
    known: { probes: times(100), known: true, knownAccounts: STAFF.slice(1) },
    answer: "pass below_limit",
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
    decideRecipient(POLICY, facts, { ...RECIPIENT, ...mail }, NOON),
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

test("a sender whose domain does not exist is refused; one without a DNS answer is not", () => {
  const event = { type: "RECIPIENT", listed: null, ...MAIL } as const;
  const answer = (senderExists: boolean | null, known: Partial<Facts> = {}): string =>
    decideRecipient(POLICY, factsOf(known), { ...event, senderExists }, NOON).reason;
  assert.equal(answer(false), "sender_unknown");
  assert.equal(answer(null), "below_limit");
  assert.equal(answer(true), "below_limit");
  assert.equal(answer(false, { protection: "allow_listed" }), "allow_listed");
});

test("a first contact is greylisted where that is on", () => {
  const policy = { ...POLICY, greylist: true };
  const reasonOf = (known: Partial<Facts>, account: string | null = null): string =>
    decideRecipient(policy, factsOf(known), { ...RECIPIENT, account }, NOON).reason;
  assert.equal(reasonOf({ firstContact: true }), "greylist_asked");
  assert.equal(reasonOf({ firstContact: false }), "below_limit");
  assert.equal(reasonOf({ firstContact: true, known: true }), "below_limit", "an account signed in from there");
  assert.equal(reasonOf({ firstContact: true, protection: "allow_listed" }), "allow_listed");
  assert.equal(reasonOf({ firstContact: true }, USER), "below_limit");
  assert.equal(decideRecipient(POLICY, factsOf({ firstContact: true }), RECIPIENT, NOON).reason, "below_limit");
});

for (const example of recipients)
  check("RCPT", { counted: false, ...example }, (facts, mail) =>
    decideRecipient(POLICY, facts, { ...RECIPIENT, ...mail }, NOON),
  );
