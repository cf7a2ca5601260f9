import assert from "node:assert/strict";
import { test } from "node:test";
import { ip, MAIL, NOON, POLICY, STRANGER, times } from "../../../test/kit/samples.ts";
import { decision } from "../../core/decide/decision.ts";
import { NOTHING_HEARD } from "../../core/decide/facts.ts";
import type { HonestServer } from "../../core/decide/honest-mail.ts";
import type { Event } from "../../core/events/event.ts";
import type { LoginFacts } from "../../core/events/login.ts";
import type { Mail, Recipient } from "../../core/events/mail.ts";
import { hostPrefix, neighbourhoodOf, type Prefix } from "../../core/net/ip.ts";
import { DAY_MS, later, type Millis } from "../../core/time.ts";
import type { AddressState } from "./address-cache.ts";
import { Circumstances } from "./circumstances.ts";

const HOME: Prefix = hostPrefix(STRANGER);
const LOGIN: LoginFacts = { ip: STRANGER, service: "imap", login: "anna@example.org", passwordHash: "p" };
const SENT: Mail = { type: "MAIL", recipientCount: 1, ...MAIL };
const ASKED: Recipient = { type: "RECIPIENT", listed: null, senderExists: null, ...MAIL };
const BOUNCE: Recipient = { ...ASKED, sender: "" };
const GREYLISTING = { ...POLICY, greylist: true };
const HEARD = { upTo: NOON, passwords: ["p"], unjudged: [] };
const PASS = decision("pass", "below_limit");
const REFUSE = decision("refuse", "session_limit");

function stateOf(known: Partial<AddressState> = {}): AddressState {
  const empty = { connections: [], mails: [], failures: [], probes: [], bounces: [], offencesAt: [] };
  const unknown = { protection: null, ban: null, knownAt: null };
  return { subject: HOME, network: neighbourhoodOf(STRANGER, 64), ...unknown, ...empty, ...known };
}

function kit() {
  const state: { isActive: () => boolean; since: Millis; server: HonestServer | null; asked: number } = {
    isActive: () => true,
    since: NOON,
    server: null,
    asked: 0,
  };
  const circumstances = new Circumstances({
    own: {
      current: () => [
        { prefix: hostPrefix(ip("203.0.113.25")), why: "own_address" },
        { prefix: hostPrefix(ip("203.0.113.1")), why: "gateway" },
      ],
    },
    recipients: { exists: (address) => address.startsWith("owner") },
    acquaintance: { isFirstContact: () => true, expectsBounce: () => true },
    networks: { networksOf: () => [HOME] },
    jails: { heard: () => HEARD },
    honest: {
      server: (_, __, since) => {
        state.asked += 1;
        state.since = since;
        return state.server;
      },
    },
    active: { isActive: () => state.isActive() },
    accounts: {
      signIns: () => [],
      guesses: () => [],
      accountsOf: (_, since) => {
        state.since = since;
        return ["anna@example.org"];
      },
      networksSince: () => [],
    },
  });
  const of = (event: Exclude<Event, { readonly prefix: Prefix }>, address = stateOf(), policy = POLICY) =>
    circumstances.of(policy, event, address, NOON);
  return { circumstances, state, of };
}

test("mails of a connection are counted where they pass, and looked at when the next one comes", () => {
  const { circumstances, of } = kit();
  const follow = (event: Exclude<Event, { readonly prefix: Prefix }>, decided = PASS): void =>
    circumstances.follow(event, decided, stateOf(), NOON);
  follow(SENT);
  follow(SENT);
  follow(SENT, REFUSE);
  follow(ASKED);
  assert.equal(of(SENT).sessionMails, 2);
  assert.equal(of(ASKED).sessionMails, 0);
  follow({ type: "CONNECT", ...MAIL });
  assert.equal(of(SENT).sessionMails, 0, "a new connection begins at nought");
});

test("whether a recipient exists and is a first contact is asked of strangers alone, where greylisting is on", () => {
  const { of } = kit();
  const kind = ({ recipient, firstContact }: ReturnType<typeof of>) => [recipient, firstContact];
  const nobody = { ...ASKED, recipient: "nobody@example.org" };
  assert.deepEqual(kind(of(nobody, stateOf(), GREYLISTING)), ["unknown", true]);
  assert.deepEqual(kind(of(nobody)), ["unknown", false]);
  assert.deepEqual(kind(of({ ...nobody, account: "anna@example.org" }, stateOf(), GREYLISTING)), ["known", false]);
  assert.deepEqual(kind(of(SENT, stateOf(), GREYLISTING)), ["known", false]);
});

test("whether somebody waits for a bounce is asked once there are very many", () => {
  const { circumstances, of } = kit();
  assert.deepEqual(of(BOUNCE).bounce, { hasOther: false, isExpected: false });
  assert.deepEqual(of(BOUNCE, stateOf({ bounces: [...times(29)] })).bounce.isExpected, false);
  assert.deepEqual(of(BOUNCE, stateOf({ bounces: [...times(30)] })).bounce.isExpected, true);
  assert.deepEqual(of(ASKED, stateOf({ bounces: [...times(30)] })).bounce.isExpected, false);
  circumstances.follow(BOUNCE, PASS, stateOf(), NOON);
  assert.equal(of({ ...BOUNCE, recipient: "other@example.org" }).bounce.hasOther, true);
  assert.equal(of(BOUNCE).bounce.hasOther, false, "a question that is repeated is the same one");
});

test("an account that sends is active unless the directory says otherwise; one that cannot be read knows everybody", () => {
  const { state, of } = kit();
  const byAccount = { ...SENT, account: "anna@example.org" };
  assert.equal(of(byAccount).accountActive, true);
  state.isActive = () => false;
  assert.equal(of(byAccount).accountActive, false);
  assert.equal(of(SENT).accountActive, true, "a stranger has no account");
  state.isActive = () => {
    throw new Error("disk I/O error");
  };
  assert.equal(of(byAccount).accountActive, true);
});

test("a login has the networks of its account, the dashboard has none; accounts are known where one signed in", () => {
  const { state, of } = kit();
  const known = stateOf({ knownAt: NOON });
  assert.deepEqual(of({ type: "LOGIN_ASKED", ...LOGIN }, known).accountNetworks, [HOME]);
  assert.deepEqual(of({ type: "LOGIN_ASKED", ...LOGIN, service: "dashboard" }, known).accountNetworks, []);
  assert.deepEqual(of({ type: "LOGIN_ASKED", ...LOGIN }, known).knownAccounts, ["anna@example.org"]);
  assert.equal(state.since, later(NOON, -POLICY.bans.memoryMs));
  assert.deepEqual(of({ type: "LOGIN_ASKED", ...LOGIN }).knownAccounts, []);
  assert.deepEqual(of(SENT, known).knownAccounts, []);
});

test("what was judged of a report before is asked for reports alone", () => {
  const { of } = kit();
  assert.deepEqual(of(SENT).heard, NOTHING_HEARD);
  const numbers = { failures: 3, limit: 3, windowMs: 600_000, banMs: 600_000, lastAt: NOON };
  const report = {
    type: "JAIL_REPORTED",
    ip: STRANGER,
    jail: "postfix",
    ...numbers,
    clientName: null,
    lines: [],
  } as const;
  assert.deepEqual(of(report).heard, HEARD);
});

test("a password is under way once it was let through, and until it is reported", () => {
  const { circumstances, of } = kit();
  const policy = { ...POLICY, accounts: { ...POLICY.accounts, failures: 1 } };
  const asked = { type: "LOGIN_ASKED", ...LOGIN } as const;
  const guesses = (): number | undefined => of(asked, stateOf(), policy).account?.guesses;
  circumstances.follow(asked, REFUSE, stateOf(), NOON);
  assert.equal(guesses(), 0);
  circumstances.follow({ ...asked, service: "dashboard" }, PASS, stateOf(), NOON);
  assert.equal(guesses(), 0);
  circumstances.follow(asked, PASS, stateOf(), NOON);
  assert.equal(guesses(), 1);
  circumstances.follow({ type: "LOGIN_FAILED", ...LOGIN }, PASS, stateOf(), NOON);
  assert.equal(guesses(), 0);
});

test("an account has written to those whom it named and who were let through, until the mail has ended", () => {
  const { circumstances, of } = kit();
  const account = "anna@example.org";
  const names = (recipient: string | null, decided = PASS, by: string | null = account): void =>
    circumstances.follow({ ...ASKED, account: by, recipient }, decided, stateOf(), NOON);
  const message = { type: "MESSAGE", recipientCount: 2, sizeBytes: 9, ...MAIL, account, recipient: null } as const;
  names("one@sender.test");
  names("refused@sender.test", REFUSE);
  names(null);
  names("by-a-stranger@sender.test", PASS, null);
  assert.deepEqual(of(message).writtenTo, ["one@sender.test"]);
  assert.deepEqual(of({ ...message, recipient: "alone@sender.test" }).writtenTo, ["alone@sender.test"]);
  assert.deepEqual(of({ ...message, account: null }).writtenTo, [], "a stranger's mail is nobody's correspondence");
  assert.deepEqual(of({ ...SENT, account }).writtenTo, []);
  circumstances.follow(message, PASS, stateOf(), NOON);
  assert.deepEqual(of(message).writtenTo, []);
});

test("a sender that names this machine by its address is one of ours; one that names the gateway is not", () => {
  const { of } = kit();
  const here = (sender: string, known: Partial<Recipient> = {}) => of({ ...ASKED, sender, ...known }).senderHere;
  assert.equal(here("root@[203.0.113.25]"), true);
  assert.equal(here("root@[203.0.113.1]"), false);
  assert.equal(here("root@[203.0.113.9]"), false);
  assert.equal(here("root@example.net"), false);
  assert.equal(here("root@[203.0.113.25]", { account: "anna@example.org" }), false, "an account is judged by its name");
});

test("whether mail of a server is wanted is asked once it is over a limit, and by a stranger's mail or connection", () => {
  const { state, of } = kit();
  state.server = { prefix: HOME, accepted: 1, proven: 0, wanted: 1, written: 0, provenDays: 0 };
  const connect = { type: "CONNECT", ...MAIL } as const;
  const wanted = (event: Exclude<Event, { readonly prefix: Prefix }>, known: Partial<AddressState>): boolean =>
    of(event, stateOf(known)).isWanted;
  assert.equal(wanted(connect, { connections: [...times(19)] }), false);
  assert.equal(wanted(SENT, { mails: [...times(9)] }), false);
  assert.equal(wanted(ASKED, { mails: [...times(500)], connections: [...times(500)] }), false);
  assert.equal(wanted({ ...SENT, account: "anna@example.org" }, { mails: [...times(500)] }), false);
  assert.equal(state.asked, 0);
  assert.equal(wanted(connect, { connections: [...times(20)] }), true);
  assert.equal(wanted(SENT, { mails: [...times(10)] }), true);
  assert.equal(state.since, later(NOON, -30 * DAY_MS));
  state.server = { ...state.server, wanted: 0 };
  assert.equal(wanted(SENT, { mails: [...times(10)] }), false, "what was merely accepted is not wanted");
  state.server = null;
  assert.equal(wanted(SENT, { mails: [...times(10)] }), false);
});
