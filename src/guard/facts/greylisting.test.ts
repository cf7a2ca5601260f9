import assert from "node:assert/strict";
import { test } from "node:test";
import { NOON, POLICY, RECIPIENT } from "../../../test/kit/samples.ts";
import type { Recipient } from "../../core/events/mail.ts";
import { createGreylisting, type Greylisting, type GreylistingParts } from "./greylisting.ts";

const EVENT: Recipient = { ...RECIPIENT, recipient: "owner@example.org" };
const broken = () => assert.fail("database is locked");

type Known = Readonly<{ large?: string; correspondent?: string; paused?: string; isClockDoubtful?: boolean }>;

function greylisting(known: Known, parts: Partial<GreylistingParts> = {}): Greylisting {
  const unused = (): never => assert.fail("it only asks");
  const pauses = { pause: unused, resume: unused, pauses: unused };
  return createGreylisting({
    policy: () => POLICY,
    largeSenders: () => (known.large === undefined ? [] : [known.large]),
    honest: { hasWrittenTo: (address) => address === known.correspondent },
    correspondents: { wroteTo: unused },
    pauses: { ...pauses, isPaused: (recipient, now) => now === NOON && recipient === known.paused },
    clock: { now: () => NOON },
    isClockDoubtful: () => known.isClockDoubtful === true,
    ...parts,
  });
}

function isFirstContact(known: Known, event: Partial<Recipient> = {}): boolean {
  return greylisting(known).isFirstContact({ ...EVENT, ...event });
}

function needsSenderProof(known: Known, event: Partial<Recipient> = {}): boolean {
  return greylisting(known).needsSenderProof({ ...EVENT, ...event });
}

test("a stranger is a first contact", () => {
  assert.equal(isFirstContact({}), true);
  assert.equal(isFirstContact({ correspondent: "" }, { sender: "", senderProven: true }), true, "a bounce has none");
  assert.equal(isFirstContact({ paused: "other@example.org" }), true);
});

test("known providers and senders, by name, and clients writing to a paused recipient are not first contacts", () => {
  assert.equal(isFirstContact({}, { clientName: "mail-x.google.com" }), false);
  const areFirst = ["MX.big.test", "mx.notbig.test", null].map((clientName) =>
    isFirstContact({ large: "big.test" }, { clientName }),
  );
  assert.deepEqual(areFirst, [false, true, true]);
  assert.equal(isFirstContact({ paused: "owner@example.org" }), false);
});

test("no sender is a first contact while the machine's clock is not trusted", () =>
  assert.equal(isFirstContact({ isClockDoubtful: true }), false));

test("a bounce is expected if someone wrote to the domain of the delivering host", () => {
  const asked: unknown[] = [];
  const wroteTo = (recipient: string, domains: readonly string[]): boolean => {
    asked.push([recipient, ...domains]);
    return domains.includes("bank.test");
  };
  const firstContacts = greylisting({}, { correspondents: { wroteTo } });
  const isExpected = (clientName: string | null, recipient = EVENT.recipient) =>
    firstContacts.isExpected({ ...EVENT, sender: "", clientName, recipient });
  const areExpected = ["mx.bank.test", "mx.shop.test", null].map((name) => isExpected(name));
  assert.deepEqual(areExpected, [true, false, false]);
  assert.equal(isExpected("mx.bank.test", null), false);
  assert.deepEqual(asked[0], ["owner@example.org", "mx.bank.test", "bank.test"]);
  assert.equal(asked.length, 2);
});

test("other mail is expected by those who wrote to the domain of its sender, if that is proven", () => {
  const wroteTo = (recipient: string, [domain]: readonly string[]): boolean =>
    recipient === "anna@example.org" && domain === "shop.test";
  const facts = greylisting({}, { correspondents: { wroteTo } });
  const answer = { ...EVENT, sender: "sales@Shop.test", recipient: "anna@example.org", senderProven: true };
  assert.equal(facts.isExpected(answer), true);
  assert.equal(facts.isExpected({ ...answer, senderProven: false, clientName: "mx.shop.test" }), false);
  assert.equal(facts.isExpected({ ...answer, recipient: "bert@example.org" }), false);
});

test("a correspondent is not a first contact if the client proved to send for it; any client can claim to", () => {
  const known = { correspondent: EVENT.sender };
  assert.equal(isFirstContact(known), true);
  assert.equal(isFirstContact(known, { senderProven: false }), true);
  assert.equal(isFirstContact(known, { senderProven: true }), false);
  assert.equal(isFirstContact({}, { senderProven: true }), true, "a proven stranger is still a stranger");
});

test("SPF is checked for correspondents even if greylisting is skipped, but not at a provider", () => {
  const known = { correspondent: EVENT.sender };
  assert.equal(needsSenderProof(known), true);
  assert.equal(needsSenderProof({}), false);
  assert.equal(needsSenderProof(known, { clientName: "mail-x.google.com" }), false);
  assert.equal(needsSenderProof({ ...known, large: "big.test" }, { clientName: "mx.big.test" }), true);
  assert.equal(needsSenderProof({ ...known, paused: "owner@example.org" }), true);
  assert.equal(needsSenderProof({ correspondent: "" }, { sender: "" }), false);
});

test("while nothing can be looked up, no mail is delayed, and the DNS is not asked about a sender", () => {
  const [honest, correspondents] = [{ hasWrittenTo: broken }, { wroteTo: broken }];
  const unreadable = greylisting({}, { policy: broken, honest, correspondents });
  assert.equal(unreadable.isFirstContact(EVENT), false);
  assert.equal(unreadable.isExpected({ ...EVENT, sender: "", clientName: "mx.bank.test" }), true);
  assert.equal(unreadable.needsSenderProof(EVENT), false);
});
