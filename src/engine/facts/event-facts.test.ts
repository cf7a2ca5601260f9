import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, ip, MAIL, NOON, POLICY, STRANGER, times } from "../../../test/kit/samples.ts";
import { decide } from "../../core/decide/decide.ts";
import { decision } from "../../core/decide/decision.ts";
import { NO_PRIOR_REPORTS } from "../../core/decide/facts.ts";
import type { HonestServer } from "../../core/decide/honest-mail.ts";
import type { ClientEvent } from "../../core/events/event.ts";
import type { LoginFacts } from "../../core/events/login.ts";
import type { Mail, Recipient } from "../../core/events/mail.ts";
import { hostPrefix, type Prefix } from "../../core/net/ip.ts";
import { DAY_MS, later, type Millis } from "../../core/time.ts";
import type { AddressHistory } from "../ports.ts";
import { FactBase } from "./fact-base.ts";

const HOME: Prefix = hostPrefix(STRANGER);
const LOGIN: LoginFacts = { ip: STRANGER, service: "imap", login: "anna@example.org", passwordHash: "p" };
const SENT: Mail = { type: "MAIL", recipientCount: 1, ...MAIL };
const ASKED: Recipient = { type: "RECIPIENT", listed: null, senderExists: null, ...MAIL };
const BOUNCE: Recipient = { ...ASKED, sender: "" };
const PRIOR_REPORTS = { upTo: NOON, passwords: ["p"], unjudged: [] };
const PASS = decision("pass", "below_limit");
const REFUSE = decision("refuse", "session_limit");

const EMPTY: AddressHistory = {
  ban: null,
  offencesAt: [],
  knownAt: null,
  connections: [],
  mails: [],
  failures: [],
  probes: [],
  bounces: [],
};

function kit() {
  const state: { isActive: () => boolean; since: Millis; server: HonestServer | null; asked: number } = {
    isActive: () => true,
    since: NOON,
    server: null,
    asked: 0,
  };
  let address = EMPTY;
  const base = new FactBase({
    policy: POLICY,
    notices: { raise: () => assert.fail("notice"), clear: () => {}, list: () => [] },
    history: {
      address: () => address,
      accountMails: () => [NOON],
      ban: () => null,
      bansWithin: () => [],
      allowed: () => [],
    },
    neighbours: { offenders: () => 0, banned: () => [], settledAt: () => NOON, guessesFrom: () => 0 },
    own: {
      current: () => [
        { prefix: hostPrefix(ip("203.0.113.25")), why: "own_address" },
        { prefix: hostPrefix(ip("203.0.113.1")), why: "gateway" },
      ],
    },
    recipients: { exists: (address) => address.startsWith("owner") },
    firstContacts: { isFirstContact: () => true, expectsBounce: () => true },
    networks: { networksOf: () => [HOME] },
    jails: { priorReports: () => PRIOR_REPORTS },
    honest: {
      server: (_, __, since) => {
        state.asked += 1;
        state.since = since;
        return state.server;
      },
      servers: () => [],
      hasWrittenTo: () => false,
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
  /** The facts of an event of an address of which this is known. */
  const of = (event: ClientEvent, known: Partial<AddressHistory> = {}, policy = POLICY) => {
    address = { ...EMPTY, ...known };
    base.setPolicy(policy, NOON);
    return base.of(event, NOON);
  };
  const follow = (event: ClientEvent, decided = PASS): void => base.follow(event, decided, of(event), NOON);
  return { state, of, follow };
}

test("mails of a connection are counted where they pass, and looked at when the next one comes", () => {
  const { follow, of } = kit();
  follow(SENT);
  follow(SENT);
  follow(SENT, REFUSE);
  follow(ASKED);
  assert.equal(of(SENT).sessionMails, 2);
  assert.equal(of(ASKED).sessionMails, 0);
  follow({ type: "CONNECT", ...MAIL });
  assert.equal(of(SENT).sessionMails, 0, "a new connection begins at nought");
});

test("whether a recipient exists, and is a first contact, is asked of the directories", () => {
  const { of } = kit();
  const nobody = of({ ...ASKED, recipient: "nobody@example.org" }, {}, { ...POLICY, greylist: true });
  assert.deepEqual([nobody.recipient, nobody.firstContact], ["unknown", true]);
  assert.equal(of(ASKED).recipient, "known");
  assert.deepEqual([of(SENT).recipient, of(SENT).firstContact], ["known", false]);
});

test("whether somebody waits for a bounce, and whether it named another before", () => {
  const { follow, of } = kit();
  assert.equal(of(BOUNCE).bounce.isExpected, true);
  assert.deepEqual(of(ASKED).bounce, { hasOther: false, isExpected: false }, "it has a sender");
  assert.equal(of(BOUNCE).bounce.hasOther, false);
  follow(BOUNCE, PASS);
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
  const known = { knownAt: NOON };
  assert.deepEqual(of({ type: "LOGIN_ASKED", ...LOGIN }, known).accountNetworks, [HOME]);
  assert.deepEqual(of({ type: "LOGIN_ASKED", ...LOGIN, service: "dashboard" }, known).accountNetworks, []);
  assert.deepEqual(of({ type: "LOGIN_ASKED", ...LOGIN }, known).knownAccounts, ["anna@example.org"]);
  assert.equal(state.since, later(NOON, -POLICY.bans.memoryMs));
  assert.deepEqual(of({ type: "LOGIN_ASKED", ...LOGIN }).knownAccounts, []);
  assert.deepEqual(of(SENT, known).knownAccounts, []);
});

test("what was judged of a report before is asked for reports alone", () => {
  const { of } = kit();
  assert.deepEqual(of(SENT).priorReports, NO_PRIOR_REPORTS);
  const numbers = { failures: 3, limit: 3, windowMs: 600_000, banMs: 600_000, lastAt: NOON };
  const report = {
    type: "JAIL_REPORTED",
    ip: STRANGER,
    jail: "postfix",
    ...numbers,
    clientName: null,
    lines: [],
  } as const;
  assert.deepEqual(of(report).priorReports, PRIOR_REPORTS);
});

test("a password is under way once it was let through, and until it is reported", () => {
  const { follow, of } = kit();
  const policy = { ...POLICY, accounts: { ...POLICY.accounts, failures: 1 } };
  const asked = { type: "LOGIN_ASKED", ...LOGIN } as const;
  const guesses = (): number | undefined => of(asked, {}, policy).account?.guesses;
  follow(asked, REFUSE);
  assert.equal(guesses(), 0);
  follow({ ...asked, service: "dashboard" }, PASS);
  assert.equal(guesses(), 0);
  follow(asked, PASS);
  assert.equal(guesses(), 1);
  follow({ type: "LOGIN_FAILED", ...LOGIN }, PASS);
  assert.equal(guesses(), 0);
});

test("an account has written to those whom it named and who were let through, until the mail has ended", () => {
  const { follow, of } = kit();
  const account = "anna@example.org";
  const names = (recipient: string | null, decided = PASS, by: string | null = account): void =>
    follow({ ...ASKED, account: by, recipient }, decided);
  const message = { type: "MESSAGE", recipientCount: 2, sizeBytes: 9, ...MAIL, account, recipient: null } as const;
  names("one@sender.test");
  names("refused@sender.test", REFUSE);
  names(null);
  names("by-a-stranger@sender.test", PASS, null);
  assert.deepEqual(of(message).writtenTo, ["one@sender.test"]);
  assert.deepEqual(of({ ...message, recipient: "alone@sender.test" }).writtenTo, ["alone@sender.test"]);
  assert.deepEqual(of({ ...message, account: null }).writtenTo, [], "a stranger's mail is nobody's correspondence");
  assert.deepEqual(of({ ...SENT, account }).writtenTo, []);
  follow(message, PASS);
  assert.deepEqual(of(message).writtenTo, []);
});

test("a sender that names this machine by its address is one of ours; one that names the gateway is not", () => {
  const { of } = kit();
  const here = (sender: string) => of({ ...ASKED, sender }).senderHere;
  assert.equal(here("root@[203.0.113.25]"), true);
  assert.equal(here("root@[203.0.113.1]"), false);
  assert.equal(here("root@[203.0.113.9]"), false);
  assert.equal(here("root@example.net"), false);
});

test("mail of a server is wanted by what speaks for it within thirty days", () => {
  const { state, of } = kit();
  const connect = { type: "CONNECT", ...MAIL } as const;
  const server = { prefix: HOME, accepted: 1, proven: 0, wanted: 1, written: 0, provenDays: 0 };
  for (const [spoken, expected] of [
    [server, true],
    [{ ...server, wanted: 0 }, false],
    [null, false],
  ] as const) {
    state.server = spoken;
    assert.equal(of(connect).isWanted, expected);
  }
  assert.equal(state.since, later(NOON, -30 * DAY_MS));
});

test("a decision reads of the databases what it looks at, and nothing else", () => {
  const { state, of } = kit();
  const connect = { type: "CONNECT", ...MAIL } as const;
  state.server = { prefix: HOME, accepted: 1, proven: 0, wanted: 1, written: 0, provenDays: 0 };
  const asked = (event: ClientEvent, known: Partial<AddressHistory>): string => {
    state.asked = 0;
    return `${decide(POLICY, of(event, known), event, NOON).reason}, asked ${state.asked} times`;
  };
  assert.equal(asked(connect, { connections: times(19) }), "below_limit, asked 0 times");
  assert.equal(asked(SENT, { mails: times(9) }), "below_limit, asked 0 times");
  assert.equal(asked(connect, { connections: times(20) }), "wanted_busy, asked 1 times");
  assert.equal(asked(SENT, { mails: times(10) }), "wanted_busy, asked 1 times");
  assert.equal(asked(SENT, { mails: times(10), offencesAt: [NOON] }), "mail_limit, asked 0 times");
});

test("a sign-in and an offence are remembered for a week, to the millisecond", () => {
  const { of } = kit();
  const connect = { type: "CONNECT", ...MAIL } as const;
  for (const [agoMs, counts] of [
    [7 * DAY_MS - 1, true],
    [7 * DAY_MS, false],
  ] as const) {
    const at = later(NOON, -agoMs);
    const facts = of(connect, { knownAt: at, offencesAt: [at, later(NOON, -1)], ban: BAN });
    assert.deepEqual([facts.known, facts.offences, facts.ban], [counts, counts ? 2 : 1, BAN]);
  }
  const stranger = of(connect);
  assert.deepEqual([stranger.known, stranger.offences, stranger.accountMails], [false, 0, []]);
  assert.deepEqual(of({ ...SENT, account: "anna@example.org" }).accountMails, [NOON]);
});

test("for the record costly facts are told as far as the decision looked at them", () => {
  const { state, of } = kit();
  const connect = { type: "CONNECT", ...MAIL } as const;
  state.server = { prefix: HOME, accepted: 1, proven: 0, wanted: 1, written: 0, provenDays: 0 };
  const below = of(connect);
  decide(POLICY, below, connect, NOON);
  assert.deepEqual([below.seen(), state.asked], [undefined, 0]);
  const over = of(connect, { connections: times(20) });
  decide(POLICY, over, connect, NOON);
  assert.equal(over.seen()?.isWanted, true);
  assert.equal(of({ ...ASKED, recipient: "nobody@example.org" }).seen()?.recipient, "unknown");
});
