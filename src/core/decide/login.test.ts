import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, factsOf, ip, NOON, POLICY, STRANGER } from "../../../test/kit/samples.ts";
import type { LoginAttributes } from "../events/login.ts";
import { hostPrefix } from "../net/ip.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS } from "../time.ts";
import type { AccountFacts, Facts, Failure } from "./facts.ts";
import { decideLoginAsked, decideLoginFailed, decideLoginSucceeded } from "./login.ts";

const LOGIN: LoginAttributes = { ip: STRANGER, service: "imap", login: "user@example.org", passwordHash: "now" };

/** Failures with these passwords, one a second, the last one now. */
function failures(...passwords: readonly string[]): readonly Failure[] {
  return passwords.map((passwordHash, i) => ({
    at: later(NOON, (i + 1 - passwords.length) * 1_000),
    passwordHash,
    account: LOGIN.login,
  }));
}
/** One every `hours` hours, the last just now. */
function daily(count: number, hours: number, passwordHash?: string): readonly Failure[] {
  return Array.from({ length: count }, (_, i) => ({
    at: later(NOON, -(count - i) * hours * HOUR_MS),
    passwordHash: passwordHash ?? `d${i}`,
    account: LOGIN.login,
  }));
}
const hourly = (count: number) => daily(count, 1);
const different = (count: number) => failures(...Array.from({ length: count }, (_, i) => `p${i}`));

const AT_HOME: AccountFacts = {
  name: LOGIN.login,
  kinship: "address",
  guesses: 0,
  proofs: [],
  candidates: 0,
  networkCandidates: 0,
  commonCandidates: 0,
  networkGuesses: 0,
};

type Example = Readonly<{
  that: string;
  known?: Partial<Facts>;
  passwordHash?: string;
  answer: string;
  bans?: number;
  counted?: boolean;
}>;

const failed: readonly Example[] = [
  { that: "a first wrong password", answer: "pass below_limit" },
  { that: "the 4th different one", known: { failures: different(3) }, answer: "pass below_limit" },
  { that: "the 5th different one", known: { failures: different(4) }, answer: "refuse login_failures", bans: 1 },
  {
    that: "the stale password of a phone, again",
    known: { failures: failures("a", "b", "now") },
    answer: "pass repeated_password",
    counted: false,
  },
  {
    that: "the stale password of a phone, though the next different one would be too many",
    known: { failures: failures("a", "b", "c", "now") },
    answer: "pass repeated_password",
    counted: false,
  },
  {
    that: "the right one of a suspended account",
    known: { account: { ...AT_HOME, kinship: "stranger", proofs: ["now"] }, accountActive: false },
    answer: "pass right_password_inactive",
  },
  {
    that: "the right one of a suspended account, from loopback",
    known: { account: { ...AT_HOME, proofs: ["now"] }, accountActive: false, protection: "loopback" },
    answer: "pass right_password_inactive",
  },
  {
    that: "a wrong one of a suspended account",
    known: { account: { ...AT_HOME, kinship: "stranger", proofs: ["other"] }, accountActive: false },
    answer: "pass below_limit",
  },
  {
    that: "the 5th different one, right but for the suspension",
    known: {
      account: { ...AT_HOME, kinship: "stranger", proofs: ["now"] },
      accountActive: false,
      failures: different(4),
    },
    answer: "refuse login_failures",
    bans: 1,
  },
  {
    that: "passwords without a hash count each",
    known: { failures: failures("", "", "", "") },
    passwordHash: "",
    answer: "refuse login_failures",
    bans: 1,
  },
  {
    that: "the 5th different one, the others being ten minutes old",
    known: { failures: different(4).map((failure) => ({ ...failure, at: later(NOON, -10 * MINUTE_MS) })) },
    answer: "pass below_limit",
  },
  { that: "one that is banned", known: { ban: BAN }, answer: "refuse banned", counted: false },
  {
    that: "an allowed one, a ban notwithstanding",
    known: { protection: "allow_listed", ban: BAN, failures: different(13) },
    answer: "pass allow_listed",
  },
  {
    that: "an allowed one at three times the limit",
    known: { protection: "allow_listed", ban: BAN, failures: different(14) },
    answer: "delay guessing_slowed",
  },
  {
    that: "the 10th different one of a day",
    known: { failures: hourly(9) },
    answer: "refuse slow_guessing",
    bans: 1,
  },
  { that: "the 9th different one of a day", known: { failures: hourly(8) }, answer: "pass below_limit" },
  {
    that: "the 10th of a day though a ban has answered the others",
    known: { failures: hourly(9).map((failure) => ({ ...failure, spent: true })) },
    answer: "refuse slow_guessing",
    bans: 1,
  },
  {
    that: "the 5th of ten minutes, a ban having answered the others",
    known: { failures: different(4).map((failure) => ({ ...failure, spent: true })) },
    answer: "pass below_limit",
  },
  {
    that: "the 20th different one of a week",
    known: { failures: daily(19, 8) },
    answer: "refuse slow_guessing",
    bans: 1,
  },
  { that: "the 19th different one of a week", known: { failures: daily(18, 8) }, answer: "pass below_limit" },
  {
    that: "one that was tried six days ago",
    known: { failures: [...daily(1, 144, "now"), ...hourly(9)] },
    answer: "pass repeated_password",
    counted: false,
  },
  {
    that: "a protected one with a stale password",
    known: { protection: "loopback", failures: [...different(500), ...failures("now")] },
    answer: "pass loopback",
    counted: false,
  },
  {
    that: "a protected one from outside the account's networks",
    known: {
      protection: "allow_listed",
      accountNetworks: [hostPrefix(ip("198.51.100.1"))],
      failures: different(500),
    },
    answer: "pass allow_listed",
    counted: false,
  },
  {
    that: "one from outside the account's networks, whatever its failures",
    known: { accountNetworks: [hostPrefix(ip("198.51.100.1"))], failures: different(500) },
    answer: "refuse outside_networks",
    counted: false,
  },
  {
    that: "one from within them",
    known: { accountNetworks: [hostPrefix(STRANGER)], failures: different(4) },
    answer: "refuse login_failures",
    bans: 1,
  },
  {
    that: "an address from which an account signed in, at the limit",
    known: { knownAccounts: ["other@example.org"], failures: different(4) },
    answer: "delay known_address",
  },
  {
    that: "the same before three times the limit",
    known: { knownAccounts: ["other@example.org"], failures: different(13) },
    answer: "delay known_address",
  },
  {
    that: "the same at its own account, however often",
    known: { account: AT_HOME, knownAccounts: [LOGIN.login], failures: different(500) },
    answer: "delay known_address",
  },
  {
    that: "the same at three times the limit, at accounts that did not sign in from here",
    known: { knownAccounts: ["other@example.org"], failures: different(500) },
    answer: "delay known_address",
  },
];
for (const { that, known = {}, passwordHash = "now", answer, bans = 0, counted = true } of failed)
  test(`failed: ${that}: ${answer}`, () => {
    const event = { type: "LOGIN_FAILED", ...LOGIN, passwordHash } as const;
    const decided = decideLoginFailed(POLICY, factsOf(known), event, NOON);
    assert.equal(`${decided.verdict} ${decided.reason}`, answer);
    assert.equal(decided.changes.filter((change) => change.type === "BAN").length, bans);
    assert.equal(decided.counted, counted);
    assert.ok(decided.recorded);
  });

test("the server's networks hold for every account, also at the dashboard, and not for the administrator", () => {
  const policy = { ...POLICY, logins: { ...POLICY.logins, networks: [hostPrefix(ip("198.51.100.1"))] } };
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
    { type: "KNOW", prefix: "203.0.113.7/32", account: "user@example.org", proof: "now" },
  ]);
});

test("an address that the allow list accepted is known by its prefix", () => {
  const v6 = ip("2001:db8:1:2::3");
  const facts = factsOf({ ip: v6, prefix: hostPrefix(v6), protection: "allow_listed" });
  const [known] = decideLoginSucceeded(POLICY, facts, { type: "LOGIN_SUCCEEDED", ...LOGIN, ip: v6 }).changes;
  assert.equal(known?.type === "KNOW" && known.prefix, "2001:db8:1:2::/64");
});

test("neither the administrator nor loopback makes anything known; an address that is only spared bans does", () => {
  const dashboard = { type: "LOGIN_SUCCEEDED", ...LOGIN, service: "dashboard" } as const;
  assert.deepEqual(decideLoginSucceeded(POLICY, factsOf(), { ...dashboard, login: "admin" }).changes, []);
  assert.equal(decideLoginSucceeded(POLICY, factsOf(), dashboard).changes.length, 1, "a user's does as by mail");
  const from = (protection: "loopback" | "gateway") =>
    decideLoginSucceeded(POLICY, factsOf({ protection }), { type: "LOGIN_SUCCEEDED", ...LOGIN }).changes.length;
  assert.deepEqual([from("loopback"), from("gateway")], [0, 1]);
});

test("a ban for slow guessing lasts a day at least, or as long as its rung", () => {
  const lengthAt = (offences: number, ladderMs: readonly number[]): number => {
    const policy = { ...POLICY, bans: { ...POLICY.bans, ladderMs } };
    const facts = factsOf({ failures: hourly(9), offences });
    const { changes } = decideLoginFailed(policy, facts, { type: "LOGIN_FAILED", ...LOGIN }, NOON);
    const [change] = changes.filter(({ type }) => type === "BAN");
    assert.ok(change?.type === "BAN" && change.ban.expiresAt !== null);
    return change.ban.expiresAt - NOON;
  };
  assert.deepEqual([lengthAt(0, [HOUR_MS, 3 * DAY_MS]), lengthAt(1, [HOUR_MS, 3 * DAY_MS])], [DAY_MS, 3 * DAY_MS]);
});
