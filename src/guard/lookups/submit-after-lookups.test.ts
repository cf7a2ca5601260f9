import assert from "node:assert/strict";
import { test } from "node:test";
import { MAIL, RECIPIENT } from "../../../test/kit/samples.ts";
import { type Decision, decision } from "../../core/decide/decision.ts";
import type { Connect } from "../../core/events/connection.ts";
import type { Event } from "../../core/events/event.ts";
import type { Listing } from "../../core/events/mail.ts";
import type { Ip } from "../../core/net/ip.ts";
import { submitAfterLookups } from "./submit-after-lookups.ts";

const LISTING: Listing = { zone: "bl.example", meaning: "127.0.0.2, listed" };
const CONNECT: Connect = { type: "CONNECT", ...MAIL };
const PASS = decision("pass", "below_limit");

/** Events that the engine received, and addresses that the lists were asked about, in order. */
function inquiry(
  options: { decided?: Decision; isProtected?: boolean; blockListing?: Promise<Listing | null>; proven?: boolean } = {},
) {
  const { decided = PASS, isProtected = false, blockListing = Promise.resolve(LISTING), proven = false } = options;
  const domains: string[] = [];
  const submitted: Event[] = [];
  const asked: Ip[] = [];
  const engine = {
    submit: (event: Event, answer: (decided: Decision) => void) => {
      submitted.push(event);
      answer(decided);
    },
    isProtected: () => isProtected,
  };
  const lists = { ask: (ip: Ip) => (asked.push(ip), blockListing) };
  const names = { exists: (domain: string) => Promise.resolve(domains.push(domain) > 0) };
  const submit = submitAfterLookups(engine, lists, names, { prove: () => Promise.resolve(proven) });
  return { submit, submitted, asked, domains };
}

function answered(submit: ReturnType<typeof submitAfterLookups>, event: Event): Promise<Decision> {
  return new Promise((resolve) => submit(event, resolve));
}

test("a stranger is looked up when it connects, without waiting", () => {
  const { submit, submitted, asked } = inquiry({ blockListing: new Promise(() => {}) });
  let decided: Decision | null = null;
  submit(CONNECT, (one) => (decided = one));
  assert.equal(decided, PASS);
  assert.deepEqual(submitted, [CONNECT]);
  assert.deepEqual(asked, [MAIL.ip]);
});

test("its recipient is decided once the lists have answered, with their results", async () => {
  const { submit, submitted } = inquiry({ proven: true });
  assert.equal(await answered(submit, RECIPIENT), PASS);
  assert.deepEqual(submitted, [{ ...RECIPIENT, blockListing: LISTING, senderExists: true, senderProven: true }]);
});

for (const [whom, event, options] of [
  ["a client that is refused", CONNECT, { decided: decision("refuse", "banned") }],
  ["a protected client, at connect", CONNECT, { isProtected: true }],
  ["a protected client, at a recipient", RECIPIENT, { isProtected: true }],
  ["a client that signed in", { ...RECIPIENT, account: "anna@example.org" }, {}],
  ["a client of submission", { ...CONNECT, service: "submission" }, {}],
  ["a mail at DATA", { ...MAIL, type: "DATA", recipientCount: 1 }, {}],
] as const)
  test(`no list is asked about ${whom}`, async () => {
    const { submit, submitted, asked } = inquiry(options);
    await answered(submit, event);
    assert.deepEqual(submitted, [event]);
    assert.deepEqual(asked, []);
  });

test("a bounce has no sender domain to look up", async () => {
  const { submit, submitted, domains } = inquiry();
  await answered(submit, { ...RECIPIENT, sender: "" });
  assert.deepEqual(domains, []);
  const looked = { blockListing: LISTING, senderExists: null, senderProven: false };
  assert.deepEqual(submitted, [{ ...RECIPIENT, sender: "", ...looked }]);
});
