import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf } from "../../../test/kit/mail-examples.ts";
import { ACCOUNT, BAN, factsOf, ip, LOGIN, NOON, net, POLICY, STRANGER } from "../../../test/kit/samples.ts";
import type { LoginAttributes } from "../events/login.ts";
import { hostPrefix } from "../net/ip.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS, type Millis } from "../time.ts";
import type { Facts, FailedLogin } from "./facts.ts";
import { decideLoginAsked, decideLoginFailed, decideLoginSucceeded } from "./login.ts";
import { banIn } from "./sparing.ts";

const tried = (at: Millis, passwordHash: string): FailedLogin => ({ at, passwordHash, account: LOGIN.login });
/** Failures with these passwords, one per second, the last one now. */
function failures(...passwords: readonly string[]): readonly FailedLogin[] {
  return passwords.map((hash, i) => tried(later(NOON, (i + 1 - passwords.length) * 1_000), hash));
}
/** One every `hours` hours, the last one that long ago. */
function daily(count: number, hours: number, passwordHash?: string): readonly FailedLogin[] {
  return Array.from({ length: count }, (_, i) =>
    tried(later(NOON, -(count - i) * hours * HOUR_MS), passwordHash ?? `d${i}`),
  );
}
const hourly = (count: number) => daily(count, 1);
const different = (count: number) => failures(...Array.from({ length: count }, (_, i) => `p${i}`));
const MANY = different(500);

/** Failures that a ban followed. */
const spent = (those: readonly FailedLogin[]): readonly FailedLogin[] =>
  those.map((failure) => ({ ...failure, spent: true }));
const tenMinutesOld = (those: readonly FailedLogin[]) =>
  those.map((failure) => ({ ...failure, at: later(NOON, -10 * MINUTE_MS) }));
const after = (...those: readonly (readonly FailedLogin[])[]) => ({ failures: those.flat() });
const suspended = (passwordHash: string) =>
  ({ account: { ...ACCOUNT, passwordHashes: [passwordHash] }, isAccountActive: false }) as const;

const REPEATED = "pass repeated_password, uncounted";
const KNOWN = "delay known_address";
const SLOWED = "delay guessing_slowed";
const UNRECORDED = "pass below_limit, unrecorded";
const ABROAD = "refuse outside_networks";
const OUTSIDE = { accountNetworks: [net("198.51.100.1")] };
const INSIDE = { accountNetworks: [hostPrefix(STRANGER)] };
const ELSEWHERE = { knownAccounts: ["other@example.org"] };
const GUESSED = { ...ACCOUNT, networkGuesses: 40 };
const AT_HOME = { ...ACCOUNT, kinship: "address" } as const;
const BANNED_BEFORE = { isWanted: true, offences: 1 };
const LOCAL = { protection: "loopback" } as const;
const ALLOWED = { protection: "allow_listed" } as const;
const RIGHT_LATE = { ...LOCAL, account: { ...GUESSED, passwordHashes: ["now"] } };
const FIFTH_SUSPENDED = { ...suspended("now"), ...after(different(4)) };
const RIGHT_AT_HOME = { account: { ...AT_HOME, passwordHashes: ["now"] }, isAccountActive: false };

function decideFailed(known: Partial<Facts> = {}, login: Partial<LoginAttributes> = {}, policy = POLICY) {
  return decideLoginFailed(policy, factsOf(known), { type: "LOGIN_FAILED", ...LOGIN, ...login }, NOON);
}

const failed: readonly (readonly [that: string, answer: string, known?: Partial<Facts>])[] = [
  ["a stale one before one different one too many", REPEATED, after(failures("a", "b", "c", "now"))],
  ["the right one of a suspended account", "pass right_password_inactive, GUESS", suspended("now")],
  ["the right one of a suspended account on loopback", "pass right_password_inactive", { ...RIGHT_AT_HOME, ...LOCAL }],
  ["a wrong one of a suspended account", "pass below_limit, GUESS", suspended("other")],
  ["the 5th different one, right but for the suspension", "refuse login_failures, GUESS, banned", FIFTH_SUSPENDED],
  ["a banned address", "refuse banned, uncounted", { ban: BAN }],
  ["an allowed one despite a ban", "pass allow_listed, SPARE", { ...ALLOWED, ban: BAN, ...after(different(13)) }],
  ["this machine at three times the limit", `${SLOWED}, SPARE`, { ...LOCAL, ban: BAN, ...after(different(14)) }],
  ["a guess on this machine", "pass loopback, GUESS", { ...LOCAL, account: ACCOUNT }],
  ["the 5th within ten minutes, after a ban for the others", "pass below_limit", after(spent(different(4)))],
  ["the 20th different one within a week", "refuse slow_guessing, banned", after(daily(19, 8))],
  ["the 5th from a server with wanted mail", `${SLOWED}, SPARE`, { isWanted: true, ...after(different(4)) }],
  [
    "the 5th from such a server, allowed",
    "pass allow_listed, SPARE",
    { isWanted: true, ...ALLOWED, ...after(different(4)) },
  ],
  ["the 5th from one banned before", "refuse login_failures, banned", { ...BANNED_BEFORE, ...after(different(4)) }],
  ["the 19th different one within a week", "pass below_limit", after(daily(18, 8))],
  ["one that was last tried six days ago", REPEATED, after(daily(1, 144, "now"), hourly(9))],
  ["this machine with a stale password", "pass loopback, uncounted", { ...LOCAL, ...after(MANY, failures("now")) }],
  ["an allowed one from outside", "pass allow_listed, uncounted", { ...ALLOWED, ...OUTSIDE, ...after(MANY) }],
  ["one from outside the account's networks", `${ABROAD}, uncounted`, { ...OUTSIDE, ...after(MANY) }],
  ["one from within them", "refuse login_failures, banned", { ...INSIDE, ...after(different(4)) }],
  ["a known address at its own account", KNOWN, { account: AT_HOME, knownAccounts: [LOGIN.login], ...after(MANY) }],
  ["a known address at other accounts, past three times the limit", KNOWN, { ...ELSEWHERE, ...after(MANY) }],
];
for (const [that, answer, known] of failed)
  test(`failed: ${that}: ${answer}`, () => assert.equal(outcomeOf(decideFailed(known)), answer));

type Asked = readonly [that: string, answer: string, known?: Partial<Facts>, why?: LoginAttributes["withoutBan"]];
const asked: readonly Asked[] = [
  ["a stranger", UNRECORDED],
  ["a stranger with failures", UNRECORDED, after(different(4))],
  ["a banned address", "refuse banned", { ban: BAN }],
  ["one from outside the account's networks", ABROAD, OUTSIDE],
  ["one from outside the account's networks, on the allow list", ABROAD, { ...OUTSIDE, ...ALLOWED }],
  ["one from within the account's networks", UNRECORDED, INSIDE],
  ["this machine", "pass loopback, unrecorded", { ...LOCAL, ban: BAN, ...after(different(14)) }],
  ["this machine at three times the limit", SLOWED, { ...LOCAL, ...after(different(15)) }],
  ["this machine ten minutes later", "pass loopback, unrecorded", { ...LOCAL, ...after(tenMinutesOld(MANY)) }],
  ["this machine after 40 wrong ones in a day", "refuse local_guesses_refused", { ...LOCAL, account: GUESSED }],
  ["this machine after 40 wrong ones in a day, with one that looks right", "pass loopback, unrecorded", RIGHT_LATE],
  ["an allowed one after 40 wrong ones in a day", "pass allow_listed, unrecorded", { ...ALLOWED, account: GUESSED }],
  ["a known address below the limit", UNRECORDED, { account: AT_HOME, ...after(different(4)) }],
  ["a known address at the limit", KNOWN, { account: AT_HOME, ...after(different(5)) }],
  ["the gateway at the limit of others", UNRECORDED, { protection: "gateway", ...after(different(9)) }],
  ["one that was spared a ban", SLOWED, after(different(5))],
  ["one spared because its reporter has no ban left", "refuse bans_used_up", after(different(5)), "bans_used_up"],
  ["one at the limit while the database is unwritable", "refuse login_failures", after(different(5)), "unwritable"],
  ["one below the limit whose reporter has no ban left", UNRECORDED, after(different(4)), "bans_used_up"],
];
for (const [that, answer, known, withoutBan = false] of asked)
  test(`asked: ${that}: ${answer}`, () => {
    const event = { type: "LOGIN_ASKED", ...LOGIN, withoutBan } as const;
    const { verdict, reason, recorded, counted, changes } = decideLoginAsked(POLICY, factsOf(known), event, NOON);
    assert.equal(`${verdict} ${reason}${recorded ? "" : ", unrecorded"}`, answer);
    assert.deepEqual([counted, changes], [false, []]);
  });

test("a server with wanted mail is refused without a check after a day's guesses, and not banned", () => {
  const facts = factsOf({ isWanted: true, ...after(hourly(10)) });
  const event = { type: "LOGIN_ASKED", ...LOGIN } as const;
  assert.equal(outcomeOf(decideLoginAsked(POLICY, facts, event, NOON)), "refuse slow_guessing, SPARE");
});

test("while the database cannot be written, a guess past a limit is refused for the usual reason without a ban", () => {
  const answer = (known: Partial<Facts>) => outcomeOf(decideFailed(known, { withoutBan: "unwritable" }));
  assert.equal(answer(after(different(4))), "refuse login_failures");
  assert.equal(answer(after(hourly(9))), "refuse slow_guessing");
});

test("the server's networks apply to every account, also at the dashboard, but not to the administrator", () => {
  const policy = { ...POLICY, logins: { ...POLICY.logins, networks: [net("198.51.100.1")] } };
  const decide = (service: LoginAttributes["service"], login = LOGIN.login): string =>
    decideLoginAsked(policy, factsOf(), { type: "LOGIN_ASKED", ...LOGIN, service, login }, NOON).reason;
  for (const service of ["imap", "submission", "dashboard"] as const)
    assert.equal(decide(service), "outside_networks", service);
  assert.equal(decide("dashboard", "admin"), "below_limit");
});

function changesOnSuccess(known: Partial<Facts> = {}, login: Partial<LoginAttributes> = {}) {
  return decideLoginSucceeded(POLICY, factsOf(known), { type: "LOGIN_SUCCEEDED", ...LOGIN, ...login }).changes;
}

test("a right password makes the network known to the account, whatever case the login was typed in", () => {
  const { verdict, reason, changes } = decideLoginSucceeded(POLICY, factsOf(), { type: "LOGIN_SUCCEEDED", ...LOGIN });
  const known = { type: "KNOW", prefix: "203.0.113.7/32", account: LOGIN.login.toLowerCase(), passwordHash: "now" };
  assert.deepEqual({ verdict, reason, changes }, { verdict: "pass", reason: "signed_in", changes: [known] });
});

test("an address that the allow list accepted is known by its prefix", () => {
  const v6 = ip("2001:db8:1:2::3");
  const [known] = changesOnSuccess({ ip: v6, prefix: hostPrefix(v6), ...ALLOWED }, { ip: v6 });
  assert.equal(known?.type === "KNOW" && known.prefix, "2001:db8:1:2::/64");
});

test("the administrator's sign-in makes no address known; a sign-in from an address that is only spared bans does", () => {
  assert.deepEqual(changesOnSuccess({}, { service: "dashboard", login: "admin" }), []);
  assert.equal(changesOnSuccess({}, { service: "dashboard" }).length, 1, "a mailbox user's sign-in does, as by mail");
  assert.equal(changesOnSuccess({ protection: "gateway" }).length, 1);
});

test("a sign-in on this machine makes its password known once, but no place", () => {
  const SET = { ...ACCOUNT, passwordHashes: ["set"] };
  const changes = (passwordHash: string) =>
    changesOnSuccess({ ...LOCAL, account: SET }, { login: "Anna@example.org", passwordHash });
  assert.deepEqual(changes("new"), [{ type: "SET_PASSWORD", account: "anna@example.org", passwordHash: "new" }]);
  assert.deepEqual([changes("set"), changes("")], [[], []]);
});

test("a ban for slow guessing lasts at least a day, or as long as its rung", () => {
  const lengthAt = (offences: number, ladderMs: readonly number[]): number => {
    const policy = { ...POLICY, bans: { ...POLICY.bans, ladderMs } };
    const ban = banIn(decideFailed({ ...after(hourly(9)), offences }, {}, policy));
    return (ban?.expiresAt ?? assert.fail()) - NOON;
  };
  assert.deepEqual([lengthAt(0, [HOUR_MS, 3 * DAY_MS]), lengthAt(1, [HOUR_MS, 3 * DAY_MS])], [DAY_MS, 3 * DAY_MS]);
});
