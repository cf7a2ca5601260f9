import assert from "node:assert/strict";
import { test } from "node:test";
import { check, type Example, outcomeOf, USER } from "../../../test/kit/mail-examples.ts";
import { BAN, DATA, factsOf, MAIL, MESSAGE, NOON, POLICY, RECIPIENT, times } from "../../../test/kit/samples.ts";
import type { Excess } from "../events/mail.ts";
import type { Decision } from "./decision.ts";
import { type Facts, NO_RECIPIENTS, NO_SENDING } from "./facts.ts";
import { decideData, decideEndOfMessage, decideRecipient } from "./mail.ts";
import { banIn } from "./sparing.ts";

const KNOWN = "defer known_address";
const LIMITED = "defer account_mail_limit, uncounted";
const MANY = { mails: times(500) };
const ALLOWED = { protection: "allow_listed" } as const;
const OF_GOOGLE = { clientName: "mail-lf1-f41.google.com" };
const OF_USER = { account: USER };
const SHARED = { isKnown: true, knownAccounts: ["a@x.test", "b@x.test", "c@x.test"] };

function sentByAccount(count: number): Pick<Facts, "sending"> {
  return { sending: { ...NO_SENDING, mails: times(count).map((at) => ({ at, ...NO_RECIPIENTS })) } };
}

const mails: readonly Example[] = [
  ["a stranger's 51st in an hour", "refuse mail_limit, banned", { mails: times(50, 60_000) }],
  ["a stranger who is banned", "refuse banned, uncounted", { ban: BAN }],
  ["the gateway, whoever mails through it", "pass gateway, uncounted", { protection: "gateway", ban: BAN, ...MANY }],
  ["a server whose mail is wanted, over the limit", "defer wanted_busy, uncounted", { isWanted: true, ...MANY }],
  ["that server after an offence", "refuse mail_limit, banned", { isWanted: true, offences: 1, mails: times(10) }],
  ["an address that three accounts know, over the limit", KNOWN, { ...SHARED, mails: times(300) }],
  ["an account's 10th, whatever its address did", "pass below_limit", { ...sentByAccount(9), ...MANY }, OF_USER],
  ["an account over its limit on an allow-listed address", LIMITED, { ...sentByAccount(10), ...ALLOWED }, OF_USER],
  ["an account on a banned address", "refuse banned, uncounted", { ban: BAN }, OF_USER],
  ["an account that may no longer sign in", "refuse account_inactive, uncounted", { isAccountActive: false }, OF_USER],
  ["a stranger's fifth in a connection", "pass below_limit", { sessionMails: 4 }],
  ["a stranger's sixth in a connection", "refuse session_limit, uncounted", { sessionMails: 5 }],
  ["an account's sixth in a connection", "pass below_limit", { sessionMails: 5 }, OF_USER],
];
check("DATA", mails, (facts, mail) => decideData(POLICY, facts, { ...DATA, ...mail }, NOON));

test("recipients of an account are remembered once its mail is accepted, except our own users", () => {
  const known = { type: "CORRESPOND", address: "shop@example.net", account: USER };
  const longest = `${"x".repeat(308)}@example.net`;
  const recipients = ["Shop@Example.net", "owner@EXAMPLE.org", longest, `x${longest}`];
  const changesOf = (account: string | null, facts: Partial<Facts> = {}) => {
    const event = { ...MESSAGE, recipientCount: 3, account };
    return decideEndOfMessage(POLICY, factsOf({ writtenTo: recipients, ...facts }), event, NOON).changes;
  };
  assert.deepEqual(changesOf(USER), [known, { ...known, address: longest }]);
  assert.deepEqual(changesOf(null), []);
  assert.deepEqual(changesOf(USER, { ban: BAN }), [], "it was refused");
  const asked = { ...RECIPIENT, account: USER };
  assert.deepEqual(decideRecipient(POLICY, factsOf(), { ...asked, recipient: "shop@example.net" }, NOON).changes, []);
});

const messages: readonly Example[] = [
  ["a mail that went through", "pass below_limit", MANY],
  ["a ban added before the decision", "refuse banned, uncounted", { ban: BAN }],
  ["a ban of a protected address", "pass loopback, uncounted", { ban: BAN, protection: "loopback" }],
];
check("end of message", messages, (facts, mail) => decideEndOfMessage(POLICY, facts, { ...MESSAGE, ...mail }, NOON));

/** The decision on a mail that the milter or `FilterLoad` found to be too much. */
function decideExcess(excess: Excess, facts = factsOf(), mail = MAIL): Decision {
  return decideEndOfMessage(POLICY, facts, { ...MESSAGE, excess, ...mail }, NOON);
}

const heavy: readonly Example[] = [
  ["a stranger", "refuse header_lines, banned, uncounted"],
  ["an account", "refuse header_lines, uncounted", {}, OF_USER],
  ["an allowed address", "refuse header_lines, uncounted", ALLOWED],
  ["the address of a user", "refuse header_lines, uncounted", { isKnown: true }],
  ["a large provider", "refuse header_lines, uncounted", {}, OF_GOOGLE],
  ["a server whose mail is wanted", "refuse header_lines, uncounted", { isWanted: true }],
  ["that server after an offence", "refuse header_lines, banned, uncounted", { isWanted: true, offences: 1 }],
  ["an address that was banned in the meantime", "refuse header_lines, uncounted", { ban: BAN }],
];
check("too many header lines", heavy, (facts, mail) => decideExcess({ of: "header_lines", count: 1_001 }, facts, mail));

const BUSY = "defer filters_busy, uncounted";

test("a large mail is deferred without a ban while the filters have much to read", () => {
  const [count, limit] = [67_108_864, 67_108_864];
  const decided = decideExcess({ of: "bytes_in_filters", count });
  assert.equal(outcomeOf(decided), BUSY);
  assert.deepEqual(decided.evidence, { count, limit, windowMs: 0, key: null });
  const ofSource = decideExcess({ of: "bytes_in_filters", count: 300_000 });
  assert.deepEqual([ofSource.verdict, ofSource.evidence], ["defer", null], "its source has used up its share");
  const ofTurn = decideExcess({ of: "waits_for_turn" });
  assert.equal(outcomeOf(ofTurn), BUSY);
  assert.equal(ofTurn.evidence, null);
});

const turns: readonly Example[] = [
  ["a stranger", BUSY],
  ["the address of a user", "pass below_limit, uncounted, unrecorded", { isKnown: true }],
  ["an allowed address", "pass below_limit, uncounted, unrecorded", ALLOWED],
  ["a large provider", "pass below_limit, uncounted, unrecorded", {}, OF_GOOGLE],
  ["a server whose mail is wanted", "pass below_limit, uncounted, unrecorded", { isWanted: true }],
  ["that server after an offence", BUSY, { isWanted: true, offences: 1 }],
  ["an account from its own place", BUSY, { isKnown: true }, OF_USER],
];
check("a mail that may hide parts, during a stranger's turn", turns, (facts, mail) =>
  decideExcess({ of: "waits_for_turn" }, facts, mail),
);

test("a mail from a known address that may hide parts waits during the turn of another such mail", () =>
  assert.equal(outcomeOf(decideExcess({ of: "known_waits_too" }, factsOf({ isKnown: true }))), BUSY));

test("the ban for a mail with too many parts says how many it had; an estimate causes none", () => {
  const decided = decideExcess({ of: "mime_parts", count: 10_000 });
  const why = "The mail has or may hide far more MIME parts than any mail program writes: 10000, limit 1000";
  assert.equal(banIn(decided)?.reason, why);
  const { verdict, changes } = decideExcess({ of: "mime_parts", count: 10_000, isEstimate: true });
  assert.deepEqual([verdict, changes], ["refuse", []]);
});
