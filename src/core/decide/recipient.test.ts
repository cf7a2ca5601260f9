import assert from "node:assert/strict";
import { test } from "node:test";
import { check, type Example, outcomeOf, USER } from "../../../test/kit/mail-examples.ts";
import { BAN, factsOf, MAIL, NOON, POLICY, RECIPIENT, times } from "../../../test/kit/samples.ts";
import type { Facts } from "./facts.ts";
import { decideRecipient } from "./mail.ts";

const PASSES = "pass below_limit, uncounted";
const KNOWN = "defer known_address, uncounted";
const BANNED = "refuse recipient_probing, banned";
const OWN = "refuse own_sender, uncounted";
const REFUSED = "refuse recipient_unknown";
const STAFF = ["a@x.test", "b@x.test", "c@x.test"];
const SHARED = { isKnown: true, knownAccounts: STAFF };
const OF_TWO = { isKnown: true, knownAccounts: STAFF.slice(1) };
const MANY = { probes: times(100) };
const ALLOWED = { protection: "allow_listed" } as const;
const PROBING = { recipient: "unknown", probes: times(10) } as const;
const OF_USER = { account: USER };

const recipients: readonly Example[] = [
  ["a stranger to one of ours", PASSES],
  ["a stranger as one of ours", OWN, {}, { sender: USER }],
  ["a stranger as one of ours, in capitals", OWN, {}, { sender: "User@Example.ORG" }],
  [
    "a stranger as a user of this machine, by its address",
    OWN,
    { isSenderHere: true },
    { sender: "user@[203.0.113.1]" },
  ],
  ["a stranger of a domain below ours", PASSES, {}, { sender: "u@sub.example.org" }],
  ["our domain as the local part of a foreign address", PASSES, {}, { sender: '"a@example.org"@example.net' }],
  ["an account that may no longer sign in", "refuse account_inactive, uncounted", { isAccountActive: false }, OF_USER],
  ["an account as itself", PASSES, {}, { sender: USER, account: USER }],
  ["an allow-listed relay as one of ours", "pass allow_listed, uncounted", ALLOWED, { sender: USER }],
  ["a banned address", "refuse banned, uncounted", { ban: BAN }],
  ["an account on a banned address", "refuse banned, uncounted", { ban: BAN }, OF_USER],
];
const doors: readonly Example[] = [
  ["the eleventh unknown one within an hour", BANNED, PROBING],
  ["the eleventh from a large provider", "defer provider_busy, uncounted", PROBING, { clientName: "mail.google.com" }],
  ["the eleventh from a wanted server", "defer wanted_busy, uncounted", { ...PROBING, isWanted: true }],
  ["the eleventh from a wanted server after an offence", BANNED, { ...PROBING, isWanted: true, offences: 1 }],
  ["the eleventh from a known address", REFUSED, { ...PROBING, isKnown: true }],
  ["one from a known address, long past the limit", BANNED, { ...PROBING, ...MANY, isKnown: true }],
  ["one from an address that three accounts know", KNOWN, { ...PROBING, ...MANY, ...SHARED }],
  ["an existing one from there, which must look the same", KNOWN, { ...MANY, ...SHARED }],
  ["one from there below the limit", PASSES, { probes: times(29), ...SHARED }],
  ["an existing one, from an address that two accounts know", PASSES, { ...MANY, ...OF_TWO }],
  ["a common target of spam", "refuse recipient_blocked, uncounted", { recipient: "blocked" }],
  ["the 200th in a connection without a mail", PASSES, { sessionRecipients: 199 }],
  ["the 201st in such a connection", "refuse session_limit, uncounted, unrecorded", { sessionRecipients: 200 }],
  ["a second extension of a mailbox", "defer extensions_deferred, uncounted", { hasOtherExtension: true }],
  ["one with an extension that does not exist", REFUSED, { recipient: "unknown", hasOtherExtension: true }],
  ["one that does not exist, named by an account", PASSES, { recipient: "unknown" }, OF_USER],
];

const guesser = { isWanted: true, probes: times(10) };
const relayed: readonly Example[] = [
  ["a first mail to one who exists", "defer wanted_busy, uncounted", { ...guesser, isFirstContact: true }],
  ["mail of someone to whom another account wrote", "defer wanted_busy, uncounted", guesser],
  ["that mail to an unknown recipient", "defer wanted_busy, uncounted", { ...guesser, recipient: "unknown" }],
  ["a mail before the limit", PASSES, { isWanted: true }],
  ["an answer", PASSES, { ...guesser, isAnswer: true }],
  [
    "a bounce to one who exists",
    "pass greylist_asked, uncounted",
    { ...guesser, isFirstContact: true },
    { sender: "" },
  ],
];
check("RCPT, after a user of a wanted server guessed names", relayed, (facts, mail) =>
  decideRecipient({ ...POLICY, greylist: true }, facts, { ...RECIPIENT, ...mail }, NOON),
);

check("RCPT", doors, (facts, mail) => decideRecipient(POLICY, facts, { ...RECIPIENT, ...mail }, NOON));

test("a client on a block list is refused in Postfix's words, unless it is trusted or its mail is expected", () => {
  const event = { ...RECIPIENT, blockListing: { zone: "zen.spamhaus.org", meaning: "127.0.0.2, listed" } };
  const refused = decideRecipient(POLICY, factsOf(), event, NOON);
  assert.equal(outcomeOf(refused), "refuse block_listed, uncounted");
  assert.deepEqual(refused.fill, { ip: MAIL.ip, zone: "zen.spamhaus.org" });
  const others = { ...POLICY, blockLists: ["bl.example"] };
  assert.equal(decideRecipient(others, factsOf(), event, NOON).verdict, "pass", "of a list that was removed");
  for (const trusted of [{ isKnown: true }, ALLOWED, { isAnswer: true }])
    assert.equal(decideRecipient(POLICY, factsOf(trusted), event, NOON).verdict, "pass");
  for (const trusted of [{ clientName: "mail-1.google.com" }, OF_USER])
    assert.equal(decideRecipient(POLICY, factsOf(), { ...event, ...trusted }, NOON).verdict, "pass");
});

test("a sender whose domain does not exist is refused; one without a DNS answer is not", () => {
  const answer = (senderExists: boolean | null, known: Partial<Facts> = {}): string =>
    outcomeOf(decideRecipient(POLICY, factsOf(known), { ...RECIPIENT, senderExists }, NOON));
  assert.equal(answer(false), "refuse sender_unknown, uncounted");
  assert.equal(answer(null), PASSES);
  assert.equal(answer(true), PASSES);
  assert.equal(answer(false, ALLOWED), "pass allow_listed, uncounted");
});

test("a first contact is greylisted if greylisting is on", () => {
  const policy = { ...POLICY, greylist: true };
  const reasonOf = (known: Partial<Facts>, account: string | null = null): string =>
    decideRecipient(policy, factsOf(known), { ...RECIPIENT, account }, NOON).reason;
  assert.equal(reasonOf({ isFirstContact: true }), "greylist_asked");
  assert.equal(reasonOf({ isFirstContact: false }), "below_limit");
  assert.equal(reasonOf({ isFirstContact: true, isKnown: true }), "below_limit", "an account signed in from there");
  assert.equal(reasonOf({ isFirstContact: true, ...ALLOWED }), "allow_listed");
  assert.equal(reasonOf({ isFirstContact: true }, USER), "below_limit");
  assert.equal(decideRecipient(POLICY, factsOf({ isFirstContact: true }), RECIPIENT, NOON).reason, "below_limit");
});

check("RCPT", recipients, (facts, mail) => decideRecipient(POLICY, facts, { ...RECIPIENT, ...mail }, NOON));

const BOUNCE = { ...RECIPIENT, sender: "" };
const DEFERRED = "defer bounces_deferred, uncounted";
const SECOND = "refuse bounce_recipients, uncounted";
const HIDDEN = "pass recipient_hidden, uncounted";
const UNKNOWN = { recipient: "unknown" } as const;
const FROM_ALL = { probesFromAnywhere: times(100), isFirstContact: true };
const EXPECTED = { hasOther: false, isExpected: true };

const bounces: readonly Example[] = [
  ["to one of ours", "pass below_limit, uncounted"],
  ["to one who does not exist, after any probing", "refuse recipient_unknown", { ...UNKNOWN, probes: times(500) }],
  ["the 101st of the whole server", DEFERRED, { ...FROM_ALL, ...UNKNOWN, namesProbed: 1 }],
  ["to one of ours after that, from a network that asked", DEFERRED, { ...FROM_ALL, namesProbed: 1 }],
  ["from a known place all the same", "pass below_limit, uncounted", { isKnown: true, probesFromAnywhere: times(100) }],
  ["to one of ours after 30 within an hour", DEFERRED, { bounces: times(30) }],
  ["to a common target of spam after that", DEFERRED, { recipient: "blocked", bounces: times(30) }],
  ["to one of ours who wrote there", "pass below_limit, uncounted", { bounces: times(500), bounce: EXPECTED }],
  ["to one who does not exist, and so wrote nowhere", DEFERRED, { ...UNKNOWN, bounces: times(500), bounce: EXPECTED }],
  ["to a second recipient", SECOND, { bounce: { hasOther: true, isExpected: true } }],
  ["to a second recipient who does not exist", SECOND, { ...UNKNOWN, bounce: { hasOther: true, isExpected: false } }],
  [
    "from an address that is never banned",
    "pass allow_listed, uncounted",
    { protection: "allow_listed", bounces: times(500) },
  ],
];
check("a bounce", bounces, (facts) => decideRecipient(POLICY, facts, BOUNCE, NOON));

const greylisted: readonly Example[] = [
  ["to one of ours, from a network that asked for none", "pass greylist_asked, uncounted", FROM_ALL],
  ["to one who does not exist, from there", HIDDEN, { ...FROM_ALL, recipient: "unknown" }],
  ["to one of ours, from one that did", DEFERRED, { ...FROM_ALL, namesProbed: 1 }],
  ["from a server with wanted mail", HIDDEN, { ...FROM_ALL, ...UNKNOWN, isWanted: true, namesProbed: 2 }],
  ["from one whose network named three", DEFERRED, { ...FROM_ALL, isWanted: true, namesProbed: 3 }],
];
check("a bounce while strangers ask for many unknown recipients", greylisted, (facts) =>
  decideRecipient({ ...POLICY, greylist: true }, facts, BOUNCE, NOON),
);
