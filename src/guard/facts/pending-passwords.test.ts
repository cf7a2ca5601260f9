import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { ip, LOGIN, NOON, POLICY, STRANGER } from "../../../test/kit/samples.ts";
import type { PendingPassword } from "../../core/decide/facts.ts";
import { hostPrefix, neighbourhoodOf } from "../../core/net/ip.ts";
import { later, MINUTE_MS } from "../../core/time.ts";
import { LoginFacts } from "./login-facts.ts";
import { PendingLogins, PendingPasswords } from "./pending-logins.ts";

function pending(known: Partial<PendingPassword> = {}): PendingPassword {
  const place = { subject: hostPrefix(STRANGER), network: neighbourhoodOf(STRANGER, 64) };
  const guess = { isStrange: true, looksWrong: true, isFirst: false };
  return { at: NOON, account: "anna@example.org", passwordHash: "a", ...place, ...guess, ...known };
}

const passwordHashes = (all: Iterable<Readonly<{ passwordHash: string }>>): readonly string[] =>
  [...all].map(({ passwordHash }) => passwordHash);

test("a password is pending for a minute, or until it is reported from the same network", () => {
  const all = new PendingPasswords();
  all.passed(pending());
  all.passed(pending({ passwordHash: "b" }));
  all.reported(pending({ network: neighbourhoodOf(ip("198.51.100.1"), 64) }));
  all.reported(pending({ passwordHash: "c" }));
  const at = (afterMs: number, account = "anna@example.org") => passwordHashes(all.at(account, later(NOON, afterMs)));
  assert.deepEqual(at(0), ["a", "b"], "those were not the pending ones");
  all.reported(pending());
  assert.deepEqual([at(MINUTE_MS - 1), at(MINUTE_MS), at(0, "bert@example.org")], [["b"], [], []]);
  assert.deepEqual([at(1 - MINUTE_MS), at(-MINUTE_MS)], [["b"], []], "the clock was set back");
});

test("guesses are passwords that do not look right, at accounts that do not know the address", () => {
  const all = new PendingPasswords();
  all.passed(pending({ passwordHash: "right", looksWrong: false }));
  all.passed(pending({ passwordHash: "at home", isStrange: false }));
  all.passed(pending({ passwordHash: "guess", account: "bert@example.org" }));
  assert.deepEqual(passwordHashes(all.guesses(NOON)), ["guess"]);
  assert.deepEqual(passwordHashes(all.from(pending().subject, NOON)), ["at home", "guess"]);
  assert.deepEqual(passwordHashes(all.from(hostPrefix(ip("203.0.113.8")), NOON)), []);
});

test("passwords in verification count as guesses: at their account, or all from the network of a stranger", () => {
  const { accountHistory, sqlite } = engineOnMemory();
  const all = new PendingPasswords();
  const elsewhere = neighbourhoodOf(ip("198.51.100.1"), 64);
  for (const passwordHash of ["a", "b"]) all.passed(pending({ passwordHash }));
  all.passed(pending({ passwordHash: "c", network: elsewhere }));
  all.passed(pending({ passwordHash: "d", account: "bert@example.org" }));
  all.passed(pending({ passwordHash: "at home", isStrange: false }));
  const logins = new LoginFacts(accountHistory, all);
  const login = { ...LOGIN, type: "LOGIN_ASKED", login: "Anna@example.org" } as const;
  const guesses = (from: string) => {
    const facts = logins.facts(POLICY, login, { ...pending(), prefix: hostPrefix(ip(from)) }, NOON);
    return [facts?.kinship, facts?.guesses, facts?.networkGuesses];
  };
  assert.deepEqual(guesses("203.0.113.9"), ["stranger", 3, 3]);
  const known = { account: login.login, passwordHash: "" };
  sqlite.apply({ type: "KNOW", prefix: hostPrefix(ip("203.0.113.8")), ...known }, later(NOON, -1));
  assert.deepEqual(guesses("203.0.113.9"), ["network", 2, 2]);
  assert.deepEqual(guesses("203.0.113.8"), ["address", 0, 2]);
});

test("eight unknown accounts may sign in at once", () => {
  const all = new PendingPasswords();
  for (let i = 0; i < 8; i++) {
    assert.equal(all.hasManyFirst(NOON), false, `${i}`);
    all.passed(pending({ account: `user${i}@example.org`, looksWrong: false, isFirst: true }));
  }
  assert.equal(all.hasManyFirst(NOON), true);
});

test("its record starts with the nearest ones, and is restored once", () => {
  const all = new PendingPasswords();
  const network = neighbourhoodOf(ip("198.51.100.1"), 64);
  for (let i = 0; i < 60; i++) all.passed(pending({ account: `user${i}@example.org`, passwordHash: `${i}`, network }));
  const bert = { account: "bert@example.org" };
  for (const one of [{}, { at: later(NOON, -1) }, { passwordHash: "other" }, { network }, bert])
    all.passed(pending({ passwordHash: "near", ...one }));
  const recorded = all.about(pending(), NOON);
  assert.equal(recorded.length, 48);
  assert.deepEqual(passwordHashes(recorded.slice(0, 6)), ["near", "near", "other", "near", "near", "0"]);
  const other = new PendingPasswords();
  for (let times = 0; times < 2; times++) other.restore(recorded);
  assert.deepEqual(other.about(pending(), NOON), recorded);
});

test("a flood leaves the passwords of the latest 1,024 accounts, and the moments of the latest 4,096 questions", () => {
  const [passwords, logins] = [new PendingPasswords(), new PendingLogins()];
  for (let i = 0; i <= 1_024; i++) passwords.passed(pending({ account: `user${i}@example.org` }));
  assert.equal(passwordHashes(passwords.guesses(NOON)).length, 1_024);
  const login = (i: number) => ({ ...LOGIN, login: `user${i}@example.org` });
  for (let i = 0; i <= 4_096; i++) logins.passed({ type: "LOGIN_ASKED", ...login(i) }, { at: NOON, after: i });
  const momentOf = (i: number) => logins.take({ type: "LOGIN_FAILED", ...login(i) })?.after;
  assert.deepEqual([0, 1, 4_096].map(momentOf), [undefined, 1, 4_096]);
});
