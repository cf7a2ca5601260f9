import assert from "node:assert/strict";
import { test } from "node:test";
import { check, type Example, USER } from "../../../test/kit/mail-examples.ts";
import { BAN, factsOf, MAIL, NOON, POLICY, RECIPIENT, times } from "../../../test/kit/samples.ts";
import type { Facts } from "./facts.ts";
import { decideData, decideEndOfMessage, decideRecipient } from "./mail.ts";

const GOOGLE = "mail-lf1-f41.google.com";

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
    that: "the same from an address that three accounts know",
    known: { known: true, knownAccounts: ["a@x.test", "b@x.test", "c@x.test"], mails: times(300) },
    answer: "defer known_address",
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
    decideData(POLICY, facts, { type: "DATA", recipientCount: 1, ...mail }, NOON),
  );

test("recipients of an account are remembered once its mail is accepted, except our own users", () => {
  const known = { type: "CORRESPOND", address: "shop@example.net", account: USER };
  const recipients = ["Shop@Example.net", "owner@EXAMPLE.org", `${"x".repeat(400)}@example.net`];
  const changesOf = (account: string | null, facts: Partial<Facts> = {}) => {
    const event = { type: "END_OF_MESSAGE", recipientCount: 3, sizeBytes: 1, ...MAIL, account } as const;
    return decideEndOfMessage(POLICY, factsOf({ writtenTo: recipients, ...facts }), event, NOON).changes;
  };
  assert.deepEqual(changesOf(USER), [known]);
  assert.deepEqual(changesOf(null), []);
  assert.deepEqual(changesOf(USER, { ban: BAN }), [], "it was refused");
  const asked = { ...RECIPIENT, account: USER };
  assert.deepEqual(decideRecipient(POLICY, factsOf(), { ...asked, recipient: "shop@example.net" }, NOON).changes, []);
});

test("the sixth mail of a session is sent away, which counts for nothing; accounts have their own limits", () => {
  const event = { type: "DATA", recipientCount: 1, ...MAIL } as const;
  assert.equal(decideData(POLICY, factsOf({ sessionMails: 4 }), event, NOON).verdict, "pass");
  const sixth = decideData(POLICY, factsOf({ sessionMails: 5 }), event, NOON);
  assert.deepEqual([sixth.reason, sixth.counted, sixth.changes], ["session_limit", false, []]);
  assert.equal(decideData(POLICY, factsOf({ sessionMails: 5 }), { ...event, account: USER }, NOON).verdict, "pass");
});

const messages: readonly Example[] = [
  { that: "a mail that went through", known: { mails: times(500) }, answer: "pass below_limit" },
  { that: "a ban added before the decision", known: { ban: BAN }, answer: "refuse banned", counted: false },
  {
    that: "a ban of a protected address added before the decision",
    known: { ban: BAN, protection: "loopback" },
    answer: "pass loopback",
    counted: false,
  },
];
for (const example of messages)
  check("end of message", example, (facts, mail) =>
    decideEndOfMessage(POLICY, facts, { type: "END_OF_MESSAGE", recipientCount: 1, sizeBytes: 1_000, ...mail }, NOON),
  );

const heavy: readonly Example[] = [
  { that: "a stranger", answer: "refuse header_lines", bans: 1, counted: false },
  { that: "an account", mail: { account: USER }, answer: "refuse header_lines", counted: false },
  { that: "an allowed address", known: { protection: "allow_listed" }, answer: "refuse header_lines", counted: false },
  { that: "the address of a user", known: { known: true }, answer: "refuse header_lines", counted: false },
  { that: "a large provider", mail: { clientName: GOOGLE }, answer: "refuse header_lines", counted: false },
  { that: "a server whose mail is wanted", known: { isWanted: true }, answer: "refuse header_lines", counted: false },
  {
    that: "the same after an offence",
    known: { isWanted: true, offences: 1 },
    answer: "refuse header_lines",
    bans: 1,
    counted: false,
  },
  { that: "an address that is banned by now", known: { ban: BAN }, answer: "refuse header_lines", counted: false },
];
for (const example of heavy)
  check("too many header lines", example, (facts, mail) => {
    const excess = { of: "header_lines", count: 1_001 } as const;
    return decideEndOfMessage(
      POLICY,
      facts,
      { type: "END_OF_MESSAGE", recipientCount: 1, sizeBytes: 1_000, excess, ...mail },
      NOON,
    );
  });

test("a large mail must come again, without a ban, while the filters have much to read", () => {
  const excess = { of: "bytes_in_filters", count: 70_000_000 } as const;
  const event = { type: "END_OF_MESSAGE", recipientCount: 1, sizeBytes: 1_000_000, excess, ...MAIL } as const;
  const { verdict, reason, counted, changes, evidence } = decideEndOfMessage(POLICY, factsOf({}), event, NOON);
  assert.deepEqual([verdict, reason, counted, changes], ["defer", "filters_busy", false, []]);
  assert.deepEqual([evidence?.count, evidence?.limit], [70_000_000, 67_108_864]);
});

test("the ban for a mail with too many parts says how many it had", () => {
  const excess = { of: "mime_parts", count: 10_000 } as const;
  const event = { type: "END_OF_MESSAGE", recipientCount: 1, sizeBytes: 1, excess, ...MAIL } as const;
  const [change] = decideEndOfMessage(POLICY, factsOf({}), event, NOON).changes;
  assert.ok(change?.type === "BAN");
  assert.equal(change.ban.reason, "The mail has far more MIME parts than any mail program writes: 10000, limit 1000");
});
