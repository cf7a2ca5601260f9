import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf } from "../../../test/kit/mail-examples.ts";
import { ACCOUNT, BAN, factsOf, ip, LOGIN, NOON, net, POLICY, STRANGER } from "../../../test/kit/samples.ts";
import type { LoginAttributes } from "../events/login.ts";
import { hostPrefix } from "../net/ip.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS } from "../time.ts";
import type { Facts, Failure } from "./facts.ts";
import { decideLoginAsked, decideLoginFailed, decideLoginSucceeded } from "./login.ts";
import { banIn } from "./sparing.ts";

/** Failures with these passwords, one a second, the last one now. */
function failures(...passwords: readonly string[]): readonly Failure[] {
  return passwords.map((passwordHash, i) => ({
    at: later(NOON, (i + 1 - passwords.length) * 1_000),
    passwordHash,
    account: LOGIN.login,
  }));
}
/** One every `hours` hours, the last one that long ago. */
function daily(count: number, hours: number, passwordHash?: string): readonly Failure[] {
  return Array.from({ length: count }, (_, i) => ({
    at: later(NOON, -(count - i) * hours * HOUR_MS),
    passwordHash: passwordHash ?? `d${i}`,
    account: LOGIN.login,
  }));
}
const hourly = (count: number) => daily(count, 1);
const different = (count: number) => failures(...Array.from({ length: count }, (_, i) => `p${i}`));

/** Those that a ban has answered. */
const spent = (those: readonly Failure[]): readonly Failure[] => those.map((failure) => ({ ...failure, spent: true }));
const tenMinutesOld = (those: readonly Failure[]) =>
  those.map((failure) => ({ ...failure, at: later(NOON, -10 * MINUTE_MS) }));
/** At a suspended account with this password. */
const suspended = (passwordHash: string) =>
  ({ account: { ...ACCOUNT, passwordHashes: [passwordHash] }, accountActive: false }) as const;

const REPEATED = "pass repeated_password, uncounted";
const KNOWN = "delay known_address";
const OUTSIDE = { accountNetworks: [net("198.51.100.1")] };
const INSIDE = { accountNetworks: [hostPrefix(STRANGER)] };
const ELSEWHERE = { knownAccounts: ["other@example.org"] };
const GUESSED = { ...ACCOUNT, networkGuesses: 40 };
const AT_HOME = { ...ACCOUNT, kinship: "address" } as const;

const failed: readonly (readonly [that: string, answer: string, known?: Partial<Facts>, passwordHash?: string])[] = [
  ["a first wrong password", "pass below_limit"],
  ["the 4th different one", "pass below_limit", { failures: different(3) }],
  ["the 5th different one", "refuse login_failures, banned", { failures: different(4) }],
  ["the stale password of a phone, again", REPEATED, { account: ACCOUNT, failures: failures("a", "b", "now") }],
  [
    "the stale password of a phone, though the next different one would be too many",
    REPEATED,
    { failures: failures("a", "b", "c", "now") },
  ],
  ["the right one of a suspended account", "pass right_password_inactive, GUESS", suspended("now")],
  [
    "the right one of a suspended account, from loopback",
    "pass right_password_inactive",
    { account: { ...AT_HOME, passwordHashes: ["now"] }, accountActive: false, protection: "loopback" },
  ],
  ["a wrong one of a suspended account", "pass below_limit, GUESS", suspended("other")],
  [
    "the 5th different one, right but for the suspension",
    "refuse login_failures, GUESS, banned",
    { ...suspended("now"), failures: different(4) },
  ],
  ["passwords without a hash count each", "refuse login_failures, banned", { failures: failures("", "", "", "") }, ""],
  [
    "the 5th different one, the others being ten minutes old",
    "pass below_limit",
    { failures: tenMinutesOld(different(4)) },
  ],
  ["one that is banned", "refuse banned, uncounted", { ban: BAN }],
  [
    "an allowed one, a ban notwithstanding",
    "pass allow_listed, SPARE",
    { protection: "allow_listed", ban: BAN, failures: different(13) },
  ],
  [
    "one of this machine at three times the limit",
    "delay guessing_slowed, SPARE",
    { protection: "loopback", ban: BAN, failures: different(14) },
  ],
  ["a guess on this machine", "pass loopback, GUESS", { protection: "loopback", account: ACCOUNT }],
  ["a guess from the allow list", "pass allow_listed", { protection: "allow_listed", account: ACCOUNT }],
  ["the 10th different one of a day", "refuse slow_guessing, banned", { failures: hourly(9) }],
  ["the 9th different one of a day", "pass below_limit", { failures: hourly(8) }],
  [
    "the 10th of a day though a ban has answered the others",
    "refuse slow_guessing, banned",
    { failures: spent(hourly(9)) },
  ],
  ["the 5th of ten minutes, a ban having answered the others", "pass below_limit", { failures: spent(different(4)) }],
  ["the 20th different one of a week", "refuse slow_guessing, banned", { failures: daily(19, 8) }],
  ["the 19th different one of a week", "pass below_limit", { failures: daily(18, 8) }],
  ["one that was tried six days ago", REPEATED, { failures: [...daily(1, 144, "now"), ...hourly(9)] }],
  [
    "a protected one with a stale password",
    "pass loopback, uncounted",
    { protection: "loopback", failures: [...different(500), ...failures("now")] },
  ],
  [
    "a protected one from outside the account's networks",
    "pass allow_listed, uncounted",
    { protection: "allow_listed", ...OUTSIDE, failures: different(500) },
  ],
  [
    "one from outside the account's networks, whatever its failures",
    "refuse outside_networks, uncounted",
    { ...OUTSIDE, failures: different(500) },
  ],
  ["one from within them", "refuse login_failures, banned", { ...INSIDE, failures: different(4) }],
  ["an address from which an account signed in, at the limit", KNOWN, { ...ELSEWHERE, failures: different(4) }],
  ["the same before three times the limit", KNOWN, { ...ELSEWHERE, failures: different(13) }],
  [
    "the same at its own account, however often",
    KNOWN,
    { account: AT_HOME, knownAccounts: [LOGIN.login], failures: different(500) },
  ],
  [
    "the same at three times the limit, at accounts that did not sign in from here",
    KNOWN,
    { ...ELSEWHERE, failures: different(500) },
  ],
];
for (const [that, answer, known, passwordHash = "now"] of failed)
  test(`failed: ${that}: ${answer}`, () =>
    assert.equal(
      outcomeOf(decideLoginFailed(POLICY, factsOf(known), { type: "LOGIN_FAILED", ...LOGIN, passwordHash }, NOON)),
      answer,
    ));

const asked: readonly (readonly [
  that: string,
  answer: string,
  known?: Partial<Facts>,
  withoutBan?: LoginAttributes["withoutBan"],
])[] = [
  ["a stranger", "pass below_limit, unrecorded"],
  ["a stranger with failures", "pass below_limit, unrecorded", { failures: different(4) }],
  ["one that is banned", "refuse banned", { ban: BAN }],
  ["one from outside the account's networks", "refuse outside_networks", OUTSIDE],
  [
    "one from outside the account's networks, on the allow list",
    "refuse outside_networks",
    { ...OUTSIDE, protection: "allow_listed" },
  ],
  ["one from within the account's networks", "pass below_limit, unrecorded", INSIDE],
  ["a protected one", "pass loopback, unrecorded", { protection: "loopback", ban: BAN, failures: different(14) }],
  [
    "a protected one at three times the limit",
    "delay guessing_slowed",
    { protection: "loopback", failures: different(15) },
  ],
  [
    "a protected one whose guesses are ten minutes old",
    "pass loopback, unrecorded",
    { protection: "loopback", failures: tenMinutesOld(different(500)) },
  ],
  [
    "this machine after 40 wrong passwords in a day",
    "refuse local_guesses_refused",
    { protection: "loopback", account: GUESSED },
  ],
  [
    "this machine after 40 wrong passwords in a day, with one that looks right",
    "pass loopback, unrecorded",
    { protection: "loopback", account: { ...GUESSED, passwordHashes: ["now"] } },
  ],
  [
    "one on the allow list after 40 wrong passwords in a day",
    "pass allow_listed, unrecorded",
    { protection: "allow_listed", account: GUESSED },
  ],
  ["a known address below the limit", "pass below_limit, unrecorded", { account: AT_HOME, failures: different(4) }],
  ["a known address at the limit", KNOWN, { account: AT_HOME, failures: different(5) }],
  [
    "the gateway at the limit for ordinary addresses",
    "pass below_limit, unrecorded",
    { protection: "gateway", failures: different(9) },
  ],
  ["one that was spared a ban", "delay guessing_slowed", { failures: different(5) }],
  [
    "one that was spared a ban because its reporter has none left",
    "refuse bans_used_up",
    { failures: different(5) },
    "bans_used_up",
  ],
  [
    "one at the limit while the database cannot be written",
    "refuse login_failures",
    { failures: different(5) },
    "unwritable",
  ],
  ["the same below the limit", "pass below_limit, unrecorded", { failures: different(4) }, "bans_used_up"],
];
for (const [that, answer, known, withoutBan = false] of asked)
  test(`asked: ${that}: ${answer}`, () => {
    const event = { type: "LOGIN_ASKED", ...LOGIN, withoutBan } as const;
    const { verdict, reason, recorded, counted, changes } = decideLoginAsked(POLICY, factsOf(known), event, NOON);
    assert.equal(`${verdict} ${reason}${recorded ? "" : ", unrecorded"}`, answer);
    assert.deepEqual([counted, changes], [false, []]);
  });

test("while the database cannot be written, a guess past a limit is refused for the usual reason, without a ban", () => {
  const decideWith = (known: Partial<Facts>) =>
    outcomeOf(
      decideLoginFailed(POLICY, factsOf(known), { type: "LOGIN_FAILED", ...LOGIN, withoutBan: "unwritable" }, NOON),
    );
  assert.equal(decideWith({ failures: different(4) }), "refuse login_failures");
  assert.equal(decideWith({ failures: hourly(9) }), "refuse slow_guessing");
});

test("the server's networks hold for every account, also at the dashboard, and not for the administrator", () => {
  const policy = { ...POLICY, logins: { ...POLICY.logins, networks: [net("198.51.100.1")] } };
  const decide = (service: LoginAttributes["service"], login = LOGIN.login): string =>
    decideLoginAsked(policy, factsOf(), { type: "LOGIN_ASKED", ...LOGIN, service, login }, NOON).reason;
  assert.equal(decide("imap"), "outside_networks");
  assert.equal(decide("submission"), "outside_networks");
  assert.equal(decide("dashboard"), "outside_networks");
  assert.equal(decide("dashboard", "admin"), "below_limit");
});

test("a right password makes the network known, by the name of its account", () => {
  const decided = decideLoginSucceeded(POLICY, factsOf(), { type: "LOGIN_SUCCEEDED", ...LOGIN });
  assert.equal(`${decided.verdict} ${decided.reason}`, "pass signed_in");
  assert.deepEqual(decided.changes, [
    { type: "KNOW", prefix: "203.0.113.7/32", account: LOGIN.login, passwordHash: "now" },
  ]);
});

test("an address that the allow list accepted is known by its prefix", () => {
  const v6 = ip("2001:db8:1:2::3");
  const facts = factsOf({ ip: v6, prefix: hostPrefix(v6), protection: "allow_listed" });
  const [known] = decideLoginSucceeded(POLICY, facts, { type: "LOGIN_SUCCEEDED", ...LOGIN, ip: v6 }).changes;
  assert.equal(known?.type === "KNOW" && known.prefix, "2001:db8:1:2::/64");
});

test("the administrator makes nothing known; an address that is only spared bans does", () => {
  const dashboard = { type: "LOGIN_SUCCEEDED", ...LOGIN, service: "dashboard" } as const;
  assert.deepEqual(decideLoginSucceeded(POLICY, factsOf(), { ...dashboard, login: "admin" }).changes, []);
  assert.equal(decideLoginSucceeded(POLICY, factsOf(), dashboard).changes.length, 1, "a user's does as by mail");
  const gateway = factsOf({ protection: "gateway" });
  assert.equal(decideLoginSucceeded(POLICY, gateway, { type: "LOGIN_SUCCEEDED", ...LOGIN }).changes.length, 1);
});

test("a sign-in on this machine makes its password known once, and no place", () => {
  const changes = (passwordHash: string) =>
    decideLoginSucceeded(
      POLICY,
      factsOf({ protection: "loopback", account: { ...ACCOUNT, passwordHashes: ["set"] } }),
      { type: "LOGIN_SUCCEEDED", ...LOGIN, login: "Anna@example.org", passwordHash },
    ).changes;
  assert.deepEqual(changes("new"), [{ type: "SET_PASSWORD", account: "anna@example.org", passwordHash: "new" }]);
  assert.deepEqual([changes("set"), changes("")], [[], []]);
});

test("a ban for slow guessing lasts a day at least, or as long as its rung", () => {
  const lengthAt = (offences: number, ladderMs: readonly number[]): number => {
    const policy = { ...POLICY, bans: { ...POLICY.bans, ladderMs } };
    const facts = factsOf({ failures: hourly(9), offences });
    const ban = banIn(decideLoginFailed(policy, facts, { type: "LOGIN_FAILED", ...LOGIN }, NOON));
    return (ban?.expiresAt ?? assert.fail()) - NOON;
  };
  assert.deepEqual([lengthAt(0, [HOUR_MS, 3 * DAY_MS]), lengthAt(1, [HOUR_MS, 3 * DAY_MS])], [DAY_MS, 3 * DAY_MS]);
});
