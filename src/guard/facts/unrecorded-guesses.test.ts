import assert from "node:assert/strict";
import { test } from "node:test";
import { ip, NOON } from "../../../test/kit/samples.ts";
import { hostPrefix, neighbourhoodOf, type Prefix } from "../../core/net/ip.ts";
import { later, type Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { AccountGuess, AccountHistory } from "../storage-ports.ts";
import { UnrecordedGuesses } from "./unrecorded-facts.ts";

const HERE = neighbourhoodOf(ip("203.0.113.7"), 64);
const THERE = neighbourhoodOf(ip("198.51.100.7"), 64);
const RECORDED: readonly AccountGuess[] = [{ account: "anna", network: HERE, passwordHash: "recorded" }];

const DATABASE: AccountHistory = {
  signIns: () => [{ prefix: hostPrefix(ip("203.0.113.7")), passwordHash: "right" }],
  passwordHashes: () => ["set"],
  guesses: () => RECORDED,
  candidates: () => ({ within: 1, beyond: 0 }),
  guessesOf: () => RECORDED,
  guessesSince: () => RECORDED,
  accountsOf: () => ["anna"],
  isKnownWithin: () => true,
  networksSince: () => [HERE],
};

function proofsIn(history: AccountHistory, since: Millis, network: Prefix | null = null): readonly string[] {
  return history.guesses("anna", { network, since, until: NOON, most: 10 }).map(({ passwordHash }) => passwordHash);
}

test("guesses in memory count together with those in the database, each once", () => {
  const memory = new UnrecordedGuesses();
  const history = memory.beside(DATABASE);
  memory.guess({ account: "anna", network: HERE, passwordHash: "recorded", at: NOON, isStale: false });
  memory.guess({ account: "anna", network: THERE, passwordHash: "new", at: NOON, isStale: false });
  memory.guess({ account: "bert", network: HERE, passwordHash: "bert's", at: NOON, isStale: false });
  const before = later(NOON, -1);
  assert.deepEqual(proofsIn(history, before), ["new", "recorded"]);
  assert.deepEqual(proofsIn(history, before, THERE).toSorted(), ["new", "recorded"], "the fake knows no networks");
  assert.deepEqual(proofsIn(history, NOON), ["recorded"], "its window is over");
  const shares = (share: number) => history.candidates("anna", { since: before, until: NOON, share });
  assert.deepEqual(shares(9), { within: 2, beyond: 0 });
  memory.guess({ account: "anna", network: THERE, passwordHash: "newer", at: NOON, isStale: false });
  assert.deepEqual(shares(1), { within: 2, beyond: 1 });
  const accounts = history.guessesOf(HERE, { since: before, until: NOON, most: 10 }).map(({ account }) => account);
  assert.deepEqual(accounts, ["bert", "anna"]);
  const all = (most: number, until = NOON) => [...history.guessesSince({ since: before, until, most })].length;
  assert.deepEqual([all(10), all(2)], [4, 2]);
  assert.equal(all(10, before), 1, "future guesses do not count");
  memory.guess({ account: "cid", network: HERE, passwordHash: "old", at: NOON, isStale: true });
  assert.equal(all(10), 4, "passwords that looked right are not spraying");
  assert.equal(history.isKnownWithin(HERE, before), true);
  assert.deepEqual([history.accountsOf(HERE, before), history.networksSince(before)], [["anna"], [HERE]]);
});

test("an unreadable database counts as empty, and guesses in memory still count", () => {
  const broken = () => {
    throw new Error("database disk image is malformed");
  };
  const memory = new UnrecordedGuesses();
  const history = memory.beside(new Proxy(DATABASE, { get: () => broken }));
  memory.guess({ account: "anna", network: HERE, passwordHash: "a", at: NOON, isStale: false });
  assert.deepEqual(proofsIn(history, later(NOON, -1)), ["a"]);
  assert.deepEqual([history.signIns("anna", NOON), history.isKnownWithin(HERE, NOON)], [[], false]);
  assert.deepEqual(history.passwordHashes("anna"), []);
  const asked = { since: later(NOON, -1), until: NOON, share: 9 };
  assert.deepEqual(history.candidates("anna", asked), { within: 1, beyond: 0 });
});

test("is bounded for one address and in total", () => {
  const memory = new UnrecordedGuesses();
  const subject = hostPrefix(ip("203.0.113.7"));
  for (let i = 0; i < 100; i++) memory.fail(subject, { at: NOON, passwordHash: `${i}`, account: "anna" });
  assert.equal(memory.failures(subject).length, 64);
  assert.equal(memory.failures(subject).at(-1)?.passwordHash, "99");
  for (let i = 0; i < LIMITS.unrecordedGuesses + 9; i++)
    memory.guess({ account: "anna", network: HERE, passwordHash: `${i}`, at: NOON, isStale: false });
  const all = memory.beside(DATABASE).guessesSince({ since: later(NOON, -1), until: NOON, most: 10_000 });
  assert.equal([...all].length, 2_049);
});
