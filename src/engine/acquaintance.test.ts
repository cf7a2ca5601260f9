import assert from "node:assert/strict";
import { test } from "node:test";
import type { Recipient } from "../core/event.ts";
import { MAIL, NOON, POLICY } from "../core/samples.ts";
import { createAcquaintance } from "./acquaintance.ts";

const EVENT: Recipient = {
  type: "RECIPIENT",
  listed: null,
  senderExists: null,
  ...MAIL,
  recipient: "owner@example.org",
};

type Known = Readonly<{ pool?: string; correspondent?: string; paused?: string }>;

function isFirstContact(known: Known, event: Partial<Recipient> = {}): boolean {
  const unused = (): never => {
    throw new Error("it only asks");
  };
  return createAcquaintance({
    policy: () => POLICY,
    pools: { includes: (ip) => ip === known.pool },
    correspondents: { isCorrespondent: (address) => address === known.correspondent },
    pauses: {
      isPaused: (recipient, now) => now === NOON && recipient === known.paused,
      pause: unused,
      resume: unused,
      pauses: unused,
    },
    clock: { now: () => NOON },
  }).isFirstContact({ ...EVENT, ...event });
}

test("a stranger is a first contact", () => {
  assert.equal(isFirstContact({}), true);
  assert.equal(isFirstContact({ correspondent: "" }, { sender: "" }), true, "a bounce is from nobody");
  assert.equal(isFirstContact({ paused: "other@example.org" }), true);
});

test("a large provider, by name or network, a correspondent and whoever writes to a paused recipient are none", () => {
  assert.equal(isFirstContact({}, { clientName: "mail-x.google.com" }), false);
  assert.equal(isFirstContact({ pool: EVENT.ip }), false);
  assert.equal(isFirstContact({ correspondent: EVENT.sender }), false);
  assert.equal(isFirstContact({ paused: "owner@example.org" }), false);
});

test("while nothing can be looked up, nobody is delayed", () => {
  const broken = createAcquaintance({
    policy: () => {
      throw new Error("database is locked");
    },
    pools: { includes: () => false },
    correspondents: { isCorrespondent: () => false },
    pauses: { isPaused: () => false, pause: () => {}, resume: () => false, pauses: () => [] },
    clock: { now: () => NOON },
  });
  assert.equal(broken.isFirstContact(EVENT), false);
});
