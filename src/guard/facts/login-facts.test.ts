import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory, TEST_POLICY } from "../../../test/kit/engine-kit.ts";
import { ip, LOGIN, NOON, net, STRANGER } from "../../../test/kit/samples.ts";
import type { PendingPassword } from "../../core/decide/facts.ts";
import type { LoginAttributes } from "../../core/events/login.ts";
import { hostPrefix, neighbourhoodOf } from "../../core/net/ip.ts";
import { later, MINUTE_MS } from "../../core/time.ts";
import { guessesAt, LoginFacts } from "./login-facts.ts";
import { PendingLogins, PendingPasswords } from "./pending-logins.ts";

/** Only the guard of one account matters here. */
const POLICY = { ...TEST_POLICY, spraying: { ...TEST_POLICY.spraying, guesses: 10_000 } };
const LIMIT = POLICY.accounts.failures;
/** A policy that does not ban an address or network for guesses either. */
const PATIENT = {
  ...POLICY,
  logins: { ...POLICY.logins, failures: 1_000, perDay: 1_000, perWeek: 1_000 },
  networks: { ...POLICY.networks, perDay: 1_000 },
};
const login = (i: number, of: Partial<LoginAttributes> = {}): LoginAttributes => ({
  ip: ip(`2001:db8:${i.toString(16)}::1`),
  service: "imap",
  login: "anna@example.test",
  passwordHash: `p${i}`,
  ...of,
});

test("a guarded account stays guarded while strangers guess, and is open one window after the last guess", async () => {
  const { engine, clock } = engineOnMemory(POLICY);
  for (let i = 1; i <= LIMIT; i++) await engine.ask({ type: "LOGIN_FAILED", ...login(i) });
  for (let i = 1; i <= 5 * LIMIT; i++) {
    clock.advance(Math.floor(POLICY.accounts.windowMs / (LIMIT + 1)));
    const decided = await engine.ask({ type: "LOGIN_ASKED", ...login(1_000 + i) });
    assert.equal(decided.reason, "account_guarded", `guess ${i}`);
  }
  clock.advance(POLICY.accounts.windowMs);
  assert.equal((await engine.ask({ type: "LOGIN_ASKED", ...login(9_999) })).verdict, "pass");
});

for (const [type, subject, opens] of [
  ["PASSWORD_CHANGED", "Anna@example.test", true],
  ["ACCOUNT_RESUMED", "anna@example.test", true],
  ["BREAK_GLASS", "0 of 0 bans lifted", true],
  ["PASSWORD_CHANGED", "bert@example.test", false],
  ["ALIAS_ADDED", "anna@example.test", false],
] as const)
  test(`${type} of ${subject} ${opens ? "lowers" : "leaves"} the guard of anna`, async () => {
    const { engine } = engineOnMemory(POLICY);
    for (let i = 1; i <= LIMIT; i++) await engine.ask({ type: "LOGIN_FAILED", ...login(i) });
    assert.equal((await engine.ask({ type: "LOGIN_ASKED", ...login(100) })).reason, "account_guarded");
    await engine.audit({ type, subject, by: "root" });
    const asked = await engine.ask({ type: "LOGIN_ASKED", ...login(101) });
    assert.equal(asked.reason, opens ? "below_limit" : "account_guarded");
  });

test("a neighbour whose sign-ins are refused does not lock out the owner's network", async () => {
  const { engine, clock } = engineOnMemory(PATIENT);
  const [home, neighbour] = [ip("198.51.100.7"), ip("198.51.100.9")];
  await engine.ask({ type: "LOGIN_SUCCEEDED", ...login(0, { ip: home }) });
  const everyMs = Math.floor(POLICY.accounts.windowMs / (LIMIT + 4));
  let refused = 0;
  for (let i = 1; i <= 10 * LIMIT; i++) {
    clock.advance(everyMs);
    const event = login(i, { ip: neighbour });
    const { verdict } = await engine.ask({ type: "LOGIN_ASKED", ...event });
    if (verdict === "refuse") refused += 1;
    else await engine.ask({ type: "LOGIN_FAILED", ...event });
  }
  assert.ok(refused > 0 && refused < 3 * LIMIT, `${refused} tries were refused`);
});

test("while strangers guess, a new account signs in only with the password that was set", async () => {
  const { engine } = engineOnMemory(POLICY);
  const subject = "anna@example.test";
  const added = { type: "ACCOUNT_ADDED", subject, by: "root" } as const;
  await engine.audit(added, [{ type: "SET_PASSWORD", account: subject, passwordHash: "right" }]);
  for (let i = 1; i <= LIMIT; i++) await engine.ask({ type: "LOGIN_FAILED", ...login(i) });
  const ask = async (passwordHash: string) =>
    (await engine.ask({ type: "LOGIN_ASKED", ...login(500, { passwordHash }) })).reason;
  assert.equal(await ask("right"), "below_limit");
  assert.equal(await ask("wrong"), "account_guarded");
  const changed = { type: "PASSWORD_CHANGED", subject, by: "root" } as const;
  await engine.audit(changed, [{ type: "SET_PASSWORD", account: subject, passwordHash: "" }]);
  for (let i = 1; i <= LIMIT; i++) await engine.ask({ type: "LOGIN_FAILED", ...login(600 + i) });
  assert.equal(await ask("right"), "account_guarded", "the old password no longer looks right");
});

test("while strangers guess, the last eight passwords of an account look right", async () => {
  const { engine, clock } = engineOnMemory(POLICY);
  for (let i = 0; i < 9; i++) {
    await engine.ask({ type: "LOGIN_SUCCEEDED", ...login(900 + i, { passwordHash: `right${i}` }) });
    clock.advance(1);
  }
  for (let i = 1; i <= LIMIT; i++) await engine.ask({ type: "LOGIN_FAILED", ...login(i) });
  const ask = async (passwordHash: string) =>
    (await engine.ask({ type: "LOGIN_ASKED", ...login(500, { passwordHash }) })).reason;
  assert.deepEqual([await ask("right0"), await ask("right1")], ["account_guarded", "below_limit"]);
});

test("of a flood only the latest guesses are read: twenty times the limit of an account, 2,000 of all accounts", () => {
  const { sqlite, accountHistory } = engineOnMemory();
  const anna = "anna@example.test";
  let last = NOON;
  const guess = (account: string, from: string): void => {
    last = later(last, 1);
    const [network, passwordHash] = [net(from), String(last)];
    sqlite.apply({ type: "GUESS", account, network, passwordHash, isStale: false }, last);
  };
  for (let i = 0; i < 20; i++) guess(anna, `198.51.${i}.0/24`);
  for (let i = 0; i < 390; i++) guess(anna, "203.0.113.0/24");
  for (let i = 0; i < 1_605; i++) guess("bert@example.test", "203.0.113.0/24");
  const at = { name: anna, network: null, pending: [] };
  assert.equal(guessesAt(accountHistory, POLICY, at, last), 10 + 5, "ten networks, and the share of one");
  const all = new LoginFacts(accountHistory, new PendingPasswords()).spraying(TEST_POLICY, last);
  assert.deepEqual(all, { guesses: TEST_POLICY.spraying.guesses, networks: 5 + 1 });
});

test("a network that the account knows may guess as much as all strangers together, without affecting others", async () => {
  const { engine } = engineOnMemory(PATIENT);
  const [home, neighbour] = [ip("198.51.100.7"), ip("198.51.100.9")];
  await engine.ask({ type: "LOGIN_SUCCEEDED", ...login(0, { ip: home }) });
  for (let i = 1; i <= LIMIT; i++) await engine.ask({ type: "LOGIN_FAILED", ...login(i) });
  const ask = (i: number, from: typeof home) => engine.ask({ type: "LOGIN_ASKED", ...login(i, { ip: from }) });
  assert.equal((await ask(101, ip("192.0.2.77"))).reason, "account_guarded");
  for (let i = 1; i <= LIMIT; i++)
    assert.equal((await ask(200 + i, neighbour)).verdict, "pass", `${i} of the neighbour's own`);
  assert.equal((await ask(300, neighbour)).reason, "account_guarded");
  assert.equal((await ask(301, home)).verdict, "pass", "a network where the owner signed in is never guarded");
});

test("1,024 pending passwords of one account are remembered", async () => {
  const passed = async (failures: number): Promise<number> => {
    const { engine } = engineOnMemory({ ...POLICY, accounts: { ...POLICY.accounts, failures } });
    const logins = Array.from({ length: 1_100 }, (_, i) => login(i + 1));
    const asked = await Promise.all(logins.map((one) => engine.ask({ type: "LOGIN_ASKED", ...one })));
    return asked.filter(({ verdict }) => verdict === "pass").length;
  };
  assert.deepEqual([await passed(1_024), await passed(1_025)], [1_024, 1_100]);
});

test("an account with a long name is guarded, limited and opened like any other", async () => {
  const name = `${"a".repeat(60)}@example.test`;
  const { engine } = engineOnMemory({ ...POLICY, accounts: { ...POLICY.accounts, candidates: LIMIT + 1 } });
  const own = (i: number, passwordHash = `p${i}`) => login(i, { login: name, passwordHash });
  await engine.ask({ type: "LOGIN_SUCCEEDED", ...own(0, "right") });
  for (let i = 1; i <= LIMIT; i++) await engine.ask({ type: "LOGIN_FAILED", ...own(i) });
  const reason = async (i: number, passwordHash = `p${i}`) =>
    (await engine.ask({ type: "LOGIN_ASKED", ...own(i, passwordHash) })).reason;
  assert.equal(await reason(100, "right"), "below_limit");
  assert.equal(await reason(101), "account_guarded");
  assert.equal(await reason(102, "right"), "right_password_guarded");
  await engine.audit({ type: "PASSWORD_CHANGED", subject: name, by: "root" });
  assert.equal(await reason(103), "below_limit");
});

test("a password for a long name counts once while it is verified again", async () => {
  const name = `${"a".repeat(60)}@example.test`;
  const { engine } = engineOnMemory({ ...POLICY, spraying: { ...POLICY.spraying, guesses: 9 } });
  for (const type of ["LOGIN_FAILED", "LOGIN_ASKED"] as const)
    for (let i = 1; i <= 8; i++) await engine.ask({ type, ...login(i, { login: name }) });
  assert.equal((await engine.ask({ type: "LOGIN_ASKED", ...login(9) })).reason, "below_limit");
  await engine.ask({ type: "LOGIN_FAILED", ...login(9) });
  assert.equal((await engine.ask({ type: "LOGIN_ASKED", ...login(10) })).reason, "spraying");
});

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
  const known = { account: login.login.toLowerCase(), passwordHash: "" };
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

test("the record of pending passwords starts with the nearest ones, and is restored once", () => {
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
