import assert from "node:assert/strict";
import { test } from "node:test";
import { ip, NOON } from "../../../test/kit/samples.ts";
import { hostPrefix, neighbourhoodOf, type Prefix } from "../../core/net/ip.ts";
import { instant, later, type Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { AccountGuess, AccountHistory, SendingHistory } from "../storage-ports.ts";
import { UnrecordedGuesses, UnrecordedSends } from "./unrecorded-facts.ts";

const unreadable = <T extends object>(database: T): T =>
  new Proxy(database, { get: () => () => assert.fail("database disk image is malformed") });

const HOST = hostPrefix(ip("203.0.113.7"));
const HERE = neighbourhoodOf(ip("203.0.113.7"), 64);
const THERE = neighbourhoodOf(ip("198.51.100.7"), 64);
const RECORDED: readonly AccountGuess[] = [{ account: "anna", network: HERE, passwordHash: "recorded" }];

const GUESSES: AccountHistory = {
  signIns: () => [{ prefix: HOST, passwordHash: "right" }],
  passwordHashes: () => ["set"],
  guesses: () => RECORDED,
  candidates: () => ({ within: 1, beyond: 0 }),
  guessesOf: () => RECORDED,
  guessesSince: () => RECORDED,
  accountsOf: () => ["anna"],
  isKnownWithin: () => true,
  networksSince: () => [HERE],
};

function guess(account: string, network: Prefix, passwordHash: string, isStale = false) {
  return { account, network, passwordHash, at: NOON, isStale };
}

function proofsIn(history: AccountHistory, since: Millis, network: Prefix | null = null): readonly string[] {
  return history.guesses("anna", { network, since, until: NOON, most: 10 }).map(({ passwordHash }) => passwordHash);
}

test("guesses in memory count together with those in the database, each once", () => {
  const memory = new UnrecordedGuesses();
  const history = memory.beside(GUESSES);
  memory.guess(guess("anna", HERE, "recorded"));
  memory.guess(guess("anna", THERE, "new"));
  memory.guess(guess("bert", HERE, "bert's"));
  const before = later(NOON, -1);
  assert.deepEqual(proofsIn(history, before), ["new", "recorded"]);
  assert.deepEqual(proofsIn(history, before, THERE).toSorted(), ["new", "recorded"], "the fake knows no networks");
  assert.deepEqual(proofsIn(history, NOON), ["recorded"], "its window is over");
  const shares = (share: number) => history.candidates("anna", { since: before, until: NOON, share });
  assert.deepEqual(shares(9), { within: 2, beyond: 0 });
  memory.guess(guess("anna", THERE, "newer"));
  assert.deepEqual(shares(1), { within: 2, beyond: 1 });
  const accounts = history.guessesOf(HERE, { since: before, until: NOON, most: 10 }).map(({ account }) => account);
  assert.deepEqual(accounts, ["bert", "anna"]);
  const all = (most: number, until = NOON) => [...history.guessesSince({ since: before, until, most })].length;
  assert.deepEqual([all(10), all(2)], [4, 2]);
  assert.equal(all(10, before), 1, "future guesses do not count");
  memory.guess(guess("cid", HERE, "old", true));
  assert.equal(all(10), 4, "passwords that looked right are not spraying");
  assert.equal(history.isKnownWithin(HERE, before), true);
  assert.deepEqual([history.accountsOf(HERE, before), history.networksSince(before)], [["anna"], [HERE]]);
});

test("an unreadable database counts as empty, and guesses in memory still count", () => {
  const memory = new UnrecordedGuesses();
  const history = memory.beside(unreadable(GUESSES));
  memory.guess(guess("anna", HERE, "a"));
  assert.deepEqual(proofsIn(history, later(NOON, -1)), ["a"]);
  assert.deepEqual([history.signIns("anna", NOON), history.passwordHashes("anna")], [[], []]);
  assert.equal(history.isKnownWithin(HERE, NOON), false);
  const asked = { since: later(NOON, -1), until: NOON, share: 9 };
  assert.deepEqual(history.candidates("anna", asked), { within: 1, beyond: 0 });
});

test("the guesses in memory are bounded, for one address and in total", () => {
  const memory = new UnrecordedGuesses();
  for (let i = 0; i < 100; i++) memory.fail(HOST, { at: NOON, passwordHash: `${i}`, account: "anna" });
  assert.equal(memory.failures(HOST).length, 64);
  assert.equal(memory.failures(HOST).at(-1)?.passwordHash, "99");
  for (let i = 0; i < LIMITS.unrecordedGuesses + 9; i++) memory.guess(guess("anna", HERE, `${i}`));
  const all = memory.beside(GUESSES).guessesSince({ since: later(NOON, -1), until: NOON, most: 10_000 });
  assert.equal([...all].length, 2_049);
});

const ANNA = "anna@example.test";
const ONE = { recipients: 1, written: 0, strangers: 1 };
const SENT: SendingHistory = {
  sentMails: () => [{ at: later(NOON, -60), ...ONE }],
  hasWritten: () => false,
  knowsPlace: () => false,
  holdOf: () => ({ evidence: null, vouchedAt: instant(7), mails: 0 }),
  refusals: () => 4,
};
const ASKED = [HOST, { firstBy: NOON, decidedAfter: NOON }] as const;

function mail(n: number) {
  return { session: "s", transaction: `a${n}` };
}
function agoIn(history: SendingHistory, since = later(NOON, -1_000), most = 10): readonly number[] {
  return history.sentMails(ANNA, { since, until: NOON, most }).map(({ at }) => NOON - at);
}

test("counts mails together with those in the database, in order, within the window and only for their account", () => {
  const sends = new UnrecordedSends();
  sends.count(ANNA, mail(1), { at: later(NOON, -90), ...ONE });
  sends.count(ANNA, mail(2), { at: later(NOON, -30), ...ONE });
  sends.count(ANNA, mail(5), { at: later(NOON, 5), ...ONE });
  sends.count("bert@example.test", mail(3), { at: later(NOON, -20), ...ONE });
  const history = sends.beside(SENT, null);
  assert.deepEqual(agoIn(history), [90, 60, 30]);
  assert.deepEqual(agoIn(history, later(NOON, -90)), [60, 30]);
  assert.deepEqual(agoIn(history, undefined, 2), [60, 30], "the newest");
  assert.deepEqual(
    [history.hasWritten(ANNA, "eve@example.net"), history.refusals(ANNA, { since: NOON, until: NOON })],
    [false, 4],
  );
  assert.deepEqual([history.knowsPlace(ANNA, ...ASKED), history.holdOf(ANNA, NOON).vouchedAt], [false, 7]);
});

test("a mail that is decided twice counts once, even if it was finally recorded", () => {
  const sends = new UnrecordedSends();
  for (let i = 0; i < 2; i++) sends.count(ANNA, mail(1), { at: later(NOON, -30), ...ONE });
  sends.count(ANNA, mail(2), { at: later(NOON, -60), ...ONE });
  assert.deepEqual(agoIn(sends.beside(SENT, null)), [60, 30]);
  assert.deepEqual(agoIn(sends.beside(SENT, mail(1))), [60], "not before itself");
});

test("if the database cannot be read, only memory counts, and every account is known", () => {
  const sends = new UnrecordedSends();
  sends.count(ANNA, mail(1), { at: later(NOON, -30), ...ONE });
  const history = sends.beside(unreadable(SENT), null);
  assert.deepEqual(agoIn(history), [30]);
  assert.deepEqual([history.hasWritten(ANNA, "eve@example.net"), history.knowsPlace(ANNA, ...ASKED)], [true, true]);
  assert.deepEqual(history.holdOf(ANNA, NOON), { evidence: null, vouchedAt: 0, mails: 0 });
  assert.equal(history.refusals(ANNA, { since: NOON, until: NOON }), 0);
});

test("remembers 128 accounts with 512 mails each", () => {
  const sends = new UnrecordedSends();
  for (let i = 0; i < 600; i++) sends.count(ANNA, mail(i), { at: later(NOON, i), ...ONE });
  const history = sends.beside(unreadable(SENT), null);
  for (let i = 0; i < 128; i++) {
    assert.equal(history.sentMails(ANNA, { since: NOON, until: later(NOON, 1_000), most: 1_000 }).length, 512);
    sends.count(`user${i}@example.test`, mail(i), { at: NOON, ...ONE });
  }
  assert.deepEqual(history.sentMails(ANNA, { since: NOON, until: later(NOON, 1_000), most: 1_000 }), []);
});
