import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, message } from "../../../test/kit/engine-events.ts";
import { enginePartsOn } from "../../../test/kit/engine-kit.ts";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import { databaseOnMemory } from "../../../test/kit/memory-database.ts";
import { BAN, DATA, ip, JAIL_REPORT, NOON, POLICY, RECIPIENT, STRANGER, times } from "../../../test/kit/samples.ts";
import { decide } from "../../core/decide/decide.ts";
import { type Ban, decision } from "../../core/decide/decision.ts";
import { NO_PRIOR_REPORTS } from "../../core/decide/facts.ts";
import type { HonestServer } from "../../core/decide/honest-mail.ts";
import type { ClientEvent } from "../../core/events/event.ts";
import type { LoginAttributes } from "../../core/events/login.ts";
import type { Recipient } from "../../core/events/mail.ts";
import { hostPrefix } from "../../core/net/ip.ts";
import { DAY_MS, later, type Millis } from "../../core/time.ts";
import { engineMigrations } from "../../store/engine-db/schema.ts";
import { type AddressHistory, NO_HISTORY } from "../storage-ports.ts";
import { FactBase } from "./fact-base.ts";
import { recipientKind } from "./fact-sources.ts";

const HOME = hostPrefix(STRANGER);
const PRIOR_REPORTS = { upTo: NOON, passwords: ["p"], unjudged: [] };
const PASS = decision("pass", "below_limit");
const { base, state, of, update } = factsOnFakes();

const LOGIN: LoginAttributes = { ip: STRANGER, service: "imap", login: "anna@example.org", passwordHash: "p" };
const BOUNCE: Recipient = { ...RECIPIENT, sender: "" };
const CONNECT = connect();
const REFUSE = decision("refuse", "session_limit");
const SERVER = { prefix: HOME, accepted: 1, proven: 0, wanted: 1, written: 0, provenDays: 0 };

test("mails of a connection are counted when they pass, and read when the next one arrives", () => {
  update(DATA);
  update(DATA);
  update(DATA, REFUSE);
  update(RECIPIENT);
  assert.equal(of(DATA).sessionMails, 2);
  assert.equal(of(RECIPIENT).sessionMails, 0);
  update(CONNECT);
  assert.equal(of(DATA).sessionMails, 0, "a new connection starts at zero");
});

test("whether a recipient exists, and is a first contact, comes from the directories", () => {
  const nobody = of({ ...RECIPIENT, recipient: "nobody@example.org" }, {}, { ...POLICY, greylist: true });
  assert.deepEqual([nobody.recipient, nobody.isFirstContact], ["unknown", true]);
  assert.equal(of(RECIPIENT).recipient, "exists");
  assert.deepEqual([of(DATA).recipient, of(DATA).isFirstContact], ["exists", false]);
});

test("whether someone expects a bounce or an answer, and whether it named a different recipient or extension before", () => {
  assert.equal(of(BOUNCE).bounce.isExpected, true);
  assert.deepEqual(of(RECIPIENT).bounce, { hasOther: false, isExpected: false }, "it has a sender");
  assert.deepEqual([of(RECIPIENT).isAnswer, of(BOUNCE).isAnswer, of(DATA).isAnswer], [true, false, false]);
  update(BOUNCE, PASS);
  assert.equal(of({ ...BOUNCE, recipient: "other@example.org" }).bounce.hasOther, true);
  update({ ...RECIPIENT, recipient: "anna+shop@example.org" }, PASS);
  assert.equal(of({ ...RECIPIENT, recipient: "anna+bank@example.org" }).hasOtherExtension, true, "of one mailbox");
});

test("what strangers asked for does not count after the clock was set back", () => {
  const unknown: Recipient = { ...RECIPIENT, recipient: "nobody@example.org" };
  base().begin(later(NOON, DAY_MS));
  update(unknown, PASS);
  assert.equal(of(unknown).probesFromAnywhere.length, 1);
  base().begin(NOON);
  assert.equal(of(unknown).probesFromAnywhere.length, 0);
});

test("recipients of a connection are counted until a mail passes, or a new connection starts", () => {
  for (let i = 0; i < 3; i++) update(RECIPIENT, PASS);
  assert.equal(of(RECIPIENT).sessionRecipients, 3);
  update(DATA, REFUSE);
  assert.deepEqual([of(RECIPIENT).sessionRecipients, of(DATA).sessionRecipients], [3, 0]);
  update(DATA, PASS);
  assert.equal(of(RECIPIENT).sessionRecipients, 0);
  update(RECIPIENT, PASS);
  update(CONNECT);
  assert.equal(of(RECIPIENT).sessionRecipients, 0);
});

test("a sending account is active unless the directory says otherwise; if it cannot be read, everyone counts as known", () => {
  const byAccount = { ...DATA, account: "anna@example.org" };
  assert.equal(of(byAccount).isAccountActive, true);
  state.isActive = () => false;
  assert.equal(of(byAccount).isAccountActive, false);
  assert.equal(of(DATA).isAccountActive, true, "a stranger has no account");
  state.isActive = () => {
    throw new Error("disk I/O error");
  };
  assert.equal(of(byAccount).isAccountActive, true);
});

test("the account of a login may be suspended, which is looked up only for the decision", () => {
  state.isActive = () => false;
  const login = { type: "LOGIN_FAILED", ...LOGIN } as const;
  const read = of(login);
  assert.equal(read.isAccountActive, false);
  assert.equal(read.seen({})?.accountInactive, true);
  const unread = of(login);
  unread.seen({});
  assert.equal(unread.isAccountActive, true);
});

test("a login has its account and its networks, the administrator has neither; accounts are known where one signed in", () => {
  const known = { knownAt: NOON };
  const asked = { type: "LOGIN_ASKED", ...LOGIN } as const;
  assert.deepEqual(of(asked, known).accountNetworks, [HOME]);
  const administrator = of({ ...asked, service: "dashboard", login: "admin" }, known);
  assert.deepEqual([administrator.accountNetworks, administrator.account], [[], null]);
  const read = of(asked, known);
  assert.deepEqual(read.knownAccounts, ["anna@example.org"]);
  assert.equal(read.knownAccounts, read.knownAccounts, "looked up once");
  assert.equal(state.since, later(NOON, -POLICY.accounts.knownForMs));
  assert.deepEqual(of(asked).knownAccounts, []);
  assert.deepEqual(of(DATA, known).knownAccounts, ["anna@example.org"]);
});

test("earlier reports are looked up only for reports", () => {
  assert.deepEqual(of(DATA).priorReports, NO_PRIOR_REPORTS);
  assert.deepEqual(of(JAIL_REPORT).priorReports, PRIOR_REPORTS);
});

test("a password is pending from its pass until its report", () => {
  const policy = { ...POLICY, accounts: { ...POLICY.accounts, failures: 1 } };
  const asked = { type: "LOGIN_ASKED", ...LOGIN } as const;
  const guesses = (): number | undefined => of(asked, {}, policy).account?.guesses;
  update(asked, REFUSE);
  update({ ...asked, service: "dashboard", login: "admin" }, PASS);
  assert.equal(guesses(), 0);
  for (const type of ["LOGIN_FAILED", "LOGIN_SUCCEEDED"] as const) {
    update(asked, PASS);
    assert.equal(guesses(), 1);
    update({ type, ...LOGIN }, PASS);
    assert.equal(guesses(), 0, type);
  }
});

test("an account has written to the recipients that passed, until the mail has ended", () => {
  const account = "anna@example.org";
  const names = (recipient: string | null, decided = PASS, by: string | null = account): void =>
    update({ ...RECIPIENT, account: by, recipient }, decided);
  const end = { ...message(), recipientCount: 2, account, recipient: null };
  names("one@sender.test");
  names("refused@sender.test", REFUSE);
  names(null);
  names("by-a-stranger@sender.test", PASS, null);
  assert.deepEqual(of(end).writtenTo, ["one@sender.test"]);
  assert.deepEqual(of({ ...end, recipient: "alone@sender.test" }).writtenTo, ["alone@sender.test"]);
  assert.deepEqual(of({ ...end, account: null }).writtenTo, [], "a stranger's mail is no account's correspondence");
  assert.deepEqual(of({ ...DATA, account }).writtenTo, []);
  update(end, PASS);
  assert.deepEqual(of(end).writtenTo, []);
});

test("a sender that names this machine by its address is local; one that names the gateway is not", () => {
  const hosts = ["[203.0.113.25]", "[203.0.113.1]", "[203.0.113.9]", "example.net"];
  const areHere = hosts.map((host) => of({ ...RECIPIENT, sender: `root@${host}` }).isSenderHere);
  assert.deepEqual(areHere, [true, false, false, false]);
});

test("mail from a server is wanted if evidence within thirty days vouches for it", () => {
  const areWanted = [SERVER, { ...SERVER, wanted: 0 }, null].map((server) => {
    state.server = server;
    return of(CONNECT).isWanted;
  });
  assert.deepEqual(areWanted, [true, false, false]);
  assert.equal(state.since, later(NOON, -30 * DAY_MS));
});

test("a decision reads only the facts that it uses", () => {
  state.server = SERVER;
  const asked = (event: ClientEvent, known: Partial<AddressHistory>): string => {
    state.asked = 0;
    return `${decide(POLICY, of(event, known), event, NOON).reason}, asked ${state.asked} times`;
  };
  assert.equal(asked(CONNECT, { connections: times(19) }), "below_limit, asked 0 times");
  assert.equal(asked(DATA, { mails: times(9) }), "below_limit, asked 0 times");
  assert.equal(asked(CONNECT, { connections: times(20) }), "wanted_busy, asked 1 times");
  assert.equal(asked(DATA, { mails: times(10) }), "wanted_busy, asked 1 times");
  assert.equal(asked(DATA, { mails: times(10), offencesAt: [NOON] }), "mail_limit, asked 0 times");
});

test("a sign-in and an offence are remembered for a week, to the millisecond", () => {
  for (const counts of [true, false]) {
    const at = later(NOON, Number(counts) - 7 * DAY_MS);
    const facts = of(CONNECT, { knownAt: at, offencesAt: [at, later(NOON, -1)], ban: BAN });
    assert.deepEqual([facts.isKnown, facts.offences, facts.ban], [counts, counts ? 2 : 1, BAN]);
  }
  const stranger = of(CONNECT);
  assert.deepEqual([stranger.isKnown, stranger.offences], [false, 0]);
});

test("expensive facts are recorded only if the decision read them", () => {
  state.server = SERVER;
  const below = of(CONNECT);
  decide(POLICY, below, CONNECT, NOON);
  assert.deepEqual([below.seen({}), state.asked], [undefined, 0]);
  const over = of(CONNECT, { connections: times(20) });
  decide(POLICY, over, CONNECT, NOON);
  assert.equal(over.seen({})?.isWanted, true);
  assert.equal(of({ ...RECIPIENT, recipient: "nobody@example.org" }).seen({})?.recipient, "unknown");
  assert.equal(of(RECIPIENT).seen({}), undefined, "whether the mail was expected");
  const asks = { ...RECIPIENT, recipient: "owner@example.org" };
  const first = of(asks, {}, { ...POLICY, greylist: true });
  base().update(asks, decision("pass", "greylist_asked"), first, NOON);
  assert.equal(first.seen({})?.isWanted, true, "a replay does not count it as a first contact either");
});

test("a simulated ban holds as long as the simulation", () => {
  const simulated = { ...BAN, simulated: true } as const;
  const banned = (ban: Ban, simulate: boolean) => of(CONNECT, { ban }, { ...POLICY, simulate }).ban;
  assert.deepEqual([banned(simulated, true), banned(simulated, false), banned(BAN, true)], [simulated, null, BAN]);
});

test("a row keeps what only the guard's memory knew, once", () => {
  const account = "anna@example.org";
  const asked = { type: "LOGIN_ASKED", ...LOGIN } as const;
  const pass = decision("pass", "below_limit", { counted: false, recorded: false });
  const evidence = { count: 20, limit: 20, windowMs: 1_000, key: "k" };
  const refuse = decision("refuse", "account_guarded", { evidence });
  const take = (event: ClientEvent, decided = PASS, afterMs = 0): object => {
    const all = base().takeRemembered(event, decided, of(event), { at: later(NOON, afterMs), after: 7 });
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  };
  assert.deepEqual([take(DATA), take(DATA)], [{ restarted: true }, {}]);
  base().administratorAt(ip("198.51.100.9"), NOON);
  assert.deepEqual([take(asked, refuse), take(asked, pass, 1), take(asked, pass, 2)], [{}, {}, {}]);
  const failed = () => take({ ...asked, type: "LOGIN_FAILED" });
  const [first, second] = [1, 2].map((nth) => ({ at: later(NOON, nth), after: 7, nth }));
  assert.deepEqual([failed(), failed(), failed()], [{ asked: first }, { asked: second }, {}]);
  update(asked, pass);
  assert.deepEqual(Object.keys(take(asked, refuse)), ["pending"]);
  update({ ...RECIPIENT, account, recipient: "friend@sender.test" });
  const data = { ...DATA, account, recipientCount: 2 };
  assert.deepEqual(take(data), { sentTo: { written: 1, strangers: 1 } });
});

test("the places of a removed account are no longer known", () => {
  const [account, isKnown] = ["anna@example.org", () => base().of(CONNECT, NOON).isKnown];
  assert.equal(of(CONNECT).isKnown, false);
  base().applyChange({ type: "KNOW", prefix: HOME, account, passwordHash: "" }, NOON);
  assert.equal(isKnown(), true);
  base().applyChange({ type: "FORGET_PLACES", account }, NOON);
  assert.equal(isKnown(), false);
});

test("known, unknown and blocked recipients; other domains and a broken directory are not judged", () => {
  const policy = { ...POLICY, blockedRecipients: ["admin", "alice"] };
  const directory = { exists: (address: string) => address.toLowerCase() === "alice@example.org" };
  const kind = (recipient: string | null, knows = directory) =>
    recipientKind(policy, knows, { ...RECIPIENT, recipient });
  assert.equal(kind("Alice@Example.org"), "exists", "its owner may use a blocked name");
  assert.equal(kind("@example.org"), "exists", "Postfix refuses an invalid address");
  for (const blocked of ["ADMIN@example.org", "Admin+shop@example.org"]) assert.equal(kind(blocked), "blocked");
  for (const other of ["admin@elsewhere.test", "postmaster", "postmaster@[192.0.2.1]", null])
    assert.equal(kind(other), "exists");
  const routed = [
    "alice%example.org@[127.0.0.1]",
    "alice@example.org@[127.0.0.1]",
    "example.org!alice@[IPv6:2001:db8::1]",
  ];
  for (const unknown of ["bob@example.org", "b@example.org", ...routed]) assert.equal(kind(unknown), "unknown");
  assert.equal(kind("bob@example.org", { exists: () => assert.fail("database is locked") }), "exists");
});

/** Facts over an empty database, with fakes that answer as a test wants, and count queries; new for each test. */
function factsOnFakes() {
  type State = { isActive: () => boolean; since: Millis; server: HonestServer | null; asked: number };
  const usual: State = { isActive: () => true, since: NOON, server: null, asked: 0 };
  const state = { ...usual };
  let address = NO_HISTORY;
  const parts = enginePartsOn(databaseOnMemory(engineMigrations));
  const start = () =>
    new FactBase({
      ...parts,
      policy: POLICY,
      notices: { set: (_, detail) => assert.equal(detail, null), list: () => [] },
      history: { address: () => address },
      sending: { ...parts.sending, hasWritten: () => true },
      own: {
        current: () => [
          { prefix: hostPrefix(ip("203.0.113.25")), why: "own_address" },
          { prefix: hostPrefix(ip("203.0.113.1")), why: "gateway" },
        ],
      },
      recipients: { exists: (address) => address.startsWith("owner") },
      firstContacts: { isFirstContact: () => true, isExpected: () => true },
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
        ...parts.accounts,
        accountsOf: (_, since) => {
          state.since = since;
          return ["anna@example.org"];
        },
      },
    });
  let base = start();
  beforeEachOf(import.meta.filename, () => {
    Object.assign(state, usual);
    base = start();
  });
  /** The facts of an event from an address with this history. */
  const of = (event: ClientEvent, known: Partial<AddressHistory> = {}, policy = POLICY) => {
    address = { ...NO_HISTORY, ...known };
    base.setPolicy(policy, NOON);
    return base.of(event, NOON);
  };
  const update = (event: ClientEvent, decided = PASS): void => base.update(event, decided, of(event), NOON);
  return { state, of, update, base: () => base };
}
