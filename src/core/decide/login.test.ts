import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, factsOf, ip, NOON, POLICY, STRANGER } from "../../../test/kit/samples.ts";
import type { LoginFacts } from "../events/login.ts";
import { hostPrefix } from "../net/ip.ts";
import { later, MINUTE_MS } from "../time.ts";
import type { Facts, Failure } from "./facts.ts";
import { decideLoginAsked, decideLoginFailed, decideLoginSucceeded } from "./login.ts";

const LOGIN: LoginFacts = { ip: STRANGER, service: "imap", login: "user@example.org", passwordHash: "now" };

/** Failures with these passwords, one a second, the last one now. */
function failures(...passwords: readonly string[]): readonly Failure[] {
  return passwords.map((passwordHash, i) => ({
    at: later(NOON, (i + 1 - passwords.length) * 1_000),
    passwordHash,
    account: LOGIN.login,
  }));
}
const different = (count: number) => failures(...Array.from({ length: count }, (_, i) => `p${i}`));

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
    that: "passwords that cannot be told apart count each",
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
    that: "a protected one, a ban notwithstanding",
    known: { protection: "own_address", ban: BAN, failures: different(13) },
    answer: "pass own_address",
  },
  {
    that: "a protected one at three times the limit",
    known: { protection: "own_address", ban: BAN, failures: different(14) },
    answer: "delay guessing_slowed",
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
    known: { known: true, failures: different(4) },
    answer: "delay known_address",
  },
  {
    that: "the same before three times the limit",
    known: { known: true, failures: different(13) },
    answer: "delay known_address",
  },
  {
    that: "the same at the own account, however often",
    known: { known: true, knownAccounts: [LOGIN.login], failures: different(500) },
    answer: "delay known_address",
  },
  {
    that: "the same at three times the limit, at accounts that did not sign in from here",
    known: { known: true, failures: different(14) },
    answer: "refuse login_failures",
    bans: 1,
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

const asked: readonly (Example & Readonly<{ recorded?: boolean }>)[] = [
  { that: "a stranger", answer: "pass below_limit", recorded: false },
  { that: "a stranger with failures", known: { failures: different(4) }, answer: "pass below_limit", recorded: false },
  { that: "one that is banned", known: { ban: BAN }, answer: "refuse banned" },
  {
    that: "one from outside the account's networks",
    known: { accountNetworks: [hostPrefix(ip("198.51.100.1"))] },
    answer: "refuse outside_networks",
  },
  {
    that: "one from outside the account's networks, on the allow list",
    known: { accountNetworks: [hostPrefix(ip("198.51.100.1"))], protection: "allow_listed" },
    answer: "refuse outside_networks",
  },
  {
    that: "one from within the account's networks",
    known: { accountNetworks: [hostPrefix(STRANGER)] },
    answer: "pass below_limit",
    recorded: false,
  },
  {
    that: "a protected one",
    known: { protection: "loopback", ban: BAN, failures: different(14) },
    answer: "pass loopback",
    recorded: false,
  },
  {
    that: "a protected one at three times the limit",
    known: { protection: "loopback", failures: different(15) },
    answer: "delay guessing_slowed",
  },
  {
    that: "a protected one whose guesses are ten minutes old",
    known: {
      protection: "loopback",
      failures: different(500).map((failure) => ({ ...failure, at: later(NOON, -10 * MINUTE_MS) })),
    },
    answer: "pass loopback",
    recorded: false,
  },
  {
    that: "a known address below the limit",
    known: { known: true, failures: different(4) },
    answer: "pass below_limit",
    recorded: false,
  },
  {
    that: "a known address at the limit",
    known: { known: true, failures: different(5) },
    answer: "delay known_address",
  },
];
for (const { that, known = {}, answer, recorded = true } of asked)
  test(`asked: ${that}: ${answer}`, () => {
    const decided = decideLoginAsked(POLICY, factsOf(known), { type: "LOGIN_ASKED", ...LOGIN }, NOON);
    assert.equal(`${decided.verdict} ${decided.reason}`, answer);
    assert.deepEqual(decided.changes, []);
    assert.equal(decided.counted, false);
    assert.equal(decided.recorded, recorded);
  });

test("the server's networks hold for every account, and not for the dashboard", () => {
  const policy = { ...POLICY, logins: { ...POLICY.logins, networks: [hostPrefix(ip("198.51.100.1"))] } };
  const decide = (service: LoginFacts["service"]): string =>
    decideLoginAsked(policy, factsOf(), { type: "LOGIN_ASKED", ...LOGIN, service }, NOON).reason;
  assert.equal(decide("imap"), "outside_networks");
  assert.equal(decide("submission"), "outside_networks");
  assert.equal(decide("dashboard"), "below_limit");
});

test("a right password makes the network known, by the name of its account", () => {
  const decided = decideLoginSucceeded(POLICY, factsOf(), { type: "LOGIN_SUCCEEDED", ...LOGIN });
  assert.equal(`${decided.verdict} ${decided.reason}`, "pass signed_in");
  assert.deepEqual(decided.changes, [
    { type: "KNOW", prefix: "203.0.113.7/32", account: "user@example.org", proof: "now" },
  ]);
});

test("where the allow list let it in it is known by its unit", () => {
  const v6 = ip("2001:db8:1:2::3");
  const facts = factsOf({ ip: v6, subject: hostPrefix(v6), protection: "allow_listed" });
  const [known] = decideLoginSucceeded(POLICY, facts, { type: "LOGIN_SUCCEEDED", ...LOGIN, ip: v6 }).changes;
  assert.equal(known?.type === "KNOW" && known.prefix, "2001:db8:1:2::/64");
});

test("neither the dashboard nor a protected address makes anything known", () => {
  const dashboard = { type: "LOGIN_SUCCEEDED", ...LOGIN, service: "dashboard" } as const;
  assert.deepEqual(decideLoginSucceeded(POLICY, factsOf(), dashboard).changes, []);
  const facts = factsOf({ protection: "gateway" });
  assert.deepEqual(decideLoginSucceeded(POLICY, facts, { type: "LOGIN_SUCCEEDED", ...LOGIN }).changes, []);
});
