import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf } from "../../../test/kit/mail-examples.ts";
import { ACCOUNT, BAN, factsOf, ip, LOGIN, NOON, POLICY, STRANGER } from "../../../test/kit/samples.ts";
import { neighbourhoodOf } from "../net/ip.ts";
import { later } from "../time.ts";
import { candidatesShare, commonShare, countGuesses, countShares, guessedName, networkShare } from "./account-guard.ts";
import { sideEffectsOf } from "./command.ts";
import type { AccountFacts, Facts } from "./facts.ts";
import { decideLoginAsked, decideLoginFailed } from "./login.ts";

const NAME = ACCOUNT.name;
const GUESS = { type: "GUESS", account: NAME, network: "203.0.113.0/24", passwordHash: "now", isStale: false };
const STALE = { ...GUESS, isStale: true };

function guarded(known: Partial<AccountFacts> = {}) {
  return { account: { ...ACCOUNT, guesses: POLICY.accounts.failures, ...known } };
}

/** The right password, after this many candidates. */
const right = (candidates: number) => guarded({ passwordHashes: ["then", "now"], candidates });

const PASSES = "pass below_limit";
const REFUSED = "refuse account_guarded";
type Asked = readonly [that: string, answer: string, facts: Partial<Facts>, changes?: readonly unknown[]];
const asked: readonly Asked[] = [
  ["one guess below the limit", PASSES, guarded({ guesses: 19 })],
  ["a neighbour of the owner, whose own network guesses", REFUSED, guarded({ kinship: "network" })],
  ["the owner", PASSES, { ...guarded({ kinship: "address" }), isKnown: true }],
  ["the right password from elsewhere", PASSES, right(999)],
  ["the right password beyond the budget", "refuse right_password_guarded", right(1_000), [STALE]],
  ["a password other than the last right one", REFUSED, guarded({ passwordHashes: ["then"] }), [GUESS]],
  ["the allow list", "pass allow_listed", { ...guarded(), protection: "allow_listed" }],
  ["the gateway", REFUSED, { ...guarded(), protection: "gateway" }, [GUESS]],
  ["a banned client", "refuse banned", { ...guarded(), ban: BAN }],
  ["no mailbox", PASSES, { account: null }],
];
for (const [that, answer, facts, changes = []] of asked)
  test(`a sign-in to a guarded account, ${that}: ${answer}`, () => {
    const decided = decideLoginAsked(POLICY, factsOf(facts), { type: "LOGIN_ASKED", ...LOGIN }, NOON);
    assert.equal(`${decided.verdict} ${decided.reason}`, answer);
    assert.deepEqual(decided.changes, changes);
    assert.equal(decided.evidence !== null, answer === REFUSED, "the budget's refusal has no numbers");
    const isCounted = answer.startsWith("refuse") && answer !== "refuse banned";
    assert.equal(decided.counted, isCounted, "what is refused without a check counts for the address too");
  });

test("an address that keeps guessing at a guarded account is banned, whether or not a guess looks right", () => {
  const at = later(NOON, -1_000);
  const failures = ["a", "b", "c", "d"].map((passwordHash) => ({ at, passwordHash, account: NAME }));
  for (const [reason, passwordHashes] of Object.entries({ account_guarded: [], right_password_guarded: ["now"] })) {
    const facts = factsOf({ ...guarded({ passwordHashes, candidates: 1_000 }), failures });
    const decided = decideLoginAsked(POLICY, facts, { type: "LOGIN_ASKED", ...LOGIN }, NOON);
    assert.equal(outcomeOf(decided), `refuse ${reason}, GUESS, banned`);
    const repeated = { type: "LOGIN_ASKED", ...LOGIN, passwordHash: "a" } as const;
    const { counted, changes } = decideLoginAsked(POLICY, facts, repeated, NOON);
    assert.deepEqual([counted, changes], [false, []], "a stale password is not another guess");
  }
});

test("a wrong password from a neighbour of the owner counts against the account", () => {
  const facts = factsOf(guarded({ kinship: "network" }));
  assert.deepEqual(decideLoginFailed(POLICY, facts, { type: "LOGIN_FAILED", ...LOGIN }, NOON).changes, [GUESS]);
});

for (const [that, guesses, count] of [
  ["one network for its share at most", { 1: "abcdefgh" }, 2],
  ["each of several networks", { 1: "ab", 2: "cd", 3: "e" }, 5],
  ["a password tried from several networks once", { 1: "ab", 2: "ab", 3: "ab" }, 2],
  ["a password tried from several networks for the first of them", { 1: "x", 2: "xab" }, 3],
  ["the tries of each network beyond the common decoys", { 1: "xyc", 2: "xyd", 3: "xye" }, 4],
  ["unknown passwords one by one", { 1: "??", 2: "??" }, 4],
] as const)
  test(`guesses count ${that}`, () => {
    const tried = Object.entries(guesses).flatMap(([network, passwordHashes]) =>
      [...passwordHashes].map((passwordHash) => ({
        network: neighbourhoodOf(ip(`198.18.${network}.1`), 64),
        passwordHash: passwordHash === "?" ? "" : passwordHash,
      })),
    );
    assert.equal(countGuesses(tried, 2), count);
    assert.equal(countGuesses(tried.toReversed(), 2), count, "in any order");
  });

test("each network may use 1/25 of a budget, and beyond that all together a quarter, rounded up", () => {
  const parts = (candidates: number) => {
    const policy = { ...POLICY, accounts: { ...POLICY.accounts, candidates } };
    return `${candidatesShare(policy)} ${commonShare(policy)}`;
  };
  assert.deepEqual([1_000, 26, 1].map(parts), ["40 250", "2 7", "1 1"]);
  const [first, second] = [neighbourhoodOf(ip("198.51.100.1"), 64), neighbourhoodOf(STRANGER, 64)];
  assert.deepEqual(countShares([first, second, first, first], 2), { within: 3, beyond: 1 });
  assert.deepEqual(countShares([], 2), { within: 0, beyond: 0 });
});

test("a single network cannot trigger an account's guard: it adds at most a quarter, rounded up", () => {
  const share = (failures: number) => networkShare({ ...POLICY, accounts: { ...POLICY.accounts, failures } });
  assert.deepEqual([1, 4, 5, 20].map(share), [1, 1, 2, 5]);
});

test("guesses at a name that is too long for an account are kept under its first characters", () => {
  const long = `${"a".repeat(60)}@example.org`;
  assert.equal(guessedName(long), `${"a".repeat(60)}@exa`);
  assert.equal(guessedName(long.slice(8)), long.slice(8), "64 characters are not cut off");
  assert.equal(guessedName(`${"a".repeat(63)}\u{1F600}`), `${"a".repeat(63)}\uFFFD`, "half a character is none");
  const facts = factsOf(guarded({ name: long }));
  const [guess] = decideLoginFailed(POLICY, facts, { type: "LOGIN_FAILED", ...LOGIN, login: long }, NOON).changes;
  assert.ok(guess?.type === "GUESS" && guess.account === guessedName(long));
  const forgotten = [{ type: "FORGET_GUESSES", account: guessedName(long) }];
  assert.deepEqual(sideEffectsOf({ type: "PASSWORD_CHANGED", subject: long.toUpperCase() }), forgotten);
});
