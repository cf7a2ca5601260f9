import assert from "node:assert/strict";
import { test } from "node:test";
import { check, type Example } from "../../../test/kit/mail-examples.ts";
import { factsOf, NOON, POLICY, RECIPIENT, times } from "../../../test/kit/samples.ts";
import { isBounce } from "../events/mail.ts";
import { decideBounce, decideRecipient } from "./mail.ts";

const EVENT = { ...RECIPIENT, sender: "" };
const DEFERRED = "defer bounces_deferred, uncounted";
const SECOND = "refuse bounce_recipients, uncounted";
const HIDDEN = "pass recipient_hidden, uncounted";
const UNKNOWN = { recipient: "unknown" } as const;
const MANY = { probesFromAnywhere: times(100), firstContact: true };
const EXPECTED = { hasOther: false, isExpected: true };

test("a bounce has no sender, or one of blanks", () => {
  for (const sender of ["", " "]) assert.ok(isBounce({ sender }));
  const mail = { ...EVENT, sender: "a@example.net" };
  assert.ok(!isBounce(mail));
  assert.equal(decideBounce(POLICY, factsOf(UNKNOWN), mail, NOON), null);
});

const examples: readonly Example[] = [
  ["to one of ours", "pass below_limit, uncounted"],
  ["to one who does not exist", "refuse recipient_unknown", { recipient: "unknown" }],
  ["to one who does not exist, after any probing", "refuse recipient_unknown", { ...UNKNOWN, probes: times(500) }],
  ["the 101st of the whole server", DEFERRED, { ...MANY, ...UNKNOWN, namesProbed: 1 }],
  ["to one of ours after that, from a network that asked", DEFERRED, { ...MANY, namesProbed: 1 }],
  ["from a known place all the same", "pass below_limit, uncounted", { known: true, probesFromAnywhere: times(100) }],
  ["to one of ours after 30 within an hour", DEFERRED, { bounces: times(30) }],
  ["to a common target of spam after that", DEFERRED, { recipient: "blocked", bounces: times(30) }],
  ["to one of ours who wrote there", "pass below_limit, uncounted", { bounces: times(500), bounce: EXPECTED }],
  ["to one who does not exist, and so wrote nowhere", DEFERRED, { ...UNKNOWN, bounces: times(500), bounce: EXPECTED }],
  ["to a second recipient", SECOND, { bounce: { hasOther: true, isExpected: true } }],
  ["to a second recipient who does not exist", SECOND, { ...UNKNOWN, bounce: { hasOther: true, isExpected: false } }],
  ["from what is never banned", "pass allow_listed, uncounted", { protection: "allow_listed", bounces: times(500) }],
];
check("a bounce", examples, (facts) => decideRecipient(POLICY, facts, EVENT, NOON));

const greylisted: readonly Example[] = [
  ["to one of ours, from a network that asked for none", "pass greylist_asked, uncounted", MANY],
  ["to one who does not exist, from there", HIDDEN, { ...MANY, recipient: "unknown" }],
  ["to one of ours, from one that did", DEFERRED, { ...MANY, namesProbed: 1 }],
  ["from a server with wanted mail", HIDDEN, { ...MANY, ...UNKNOWN, isWanted: true, namesProbed: 2 }],
  ["from one whose network named three", DEFERRED, { ...MANY, isWanted: true, namesProbed: 3 }],
];
check("while strangers ask for many who do not exist, a bounce", greylisted, (facts) =>
  decideRecipient({ ...POLICY, greylist: true }, facts, EVENT, NOON),
);
