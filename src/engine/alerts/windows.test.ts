import assert from "node:assert/strict";
import { test } from "node:test";
import { alertText } from "../../core/alerts/alerts.ts";
import { type AlertEvent, type Thresholds } from "../../core/alerts/rules.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { HOUR_MS, instant, MINUTE_MS } from "../../core/time.ts";
import { AlertWindows } from "./windows.ts";

const THRESHOLDS: Thresholds = {
  failed_logins: 3,
  dashboard_logins: 2,
  mail_undelivered: 1,
  web_overreach: 1,
  password_guessed: 3,
  unusual_connections: 3,
  spam_volume: 3,
  many_bans: 2,
  repeated_violations: 2,
};

/** Events a second apart, from the beginning of time. */
function windows(thresholds: Partial<Thresholds> = {}) {
  const all = new AlertWindows({ ...THRESHOLDS, ...thresholds });
  let id = 0;
  let now = 0;
  return {
    all,
    take(type: AlertEvent["type"], event: Partial<Omit<AlertEvent, "prefix">> & { from?: string } = {}): void {
      const { from, ...rest } = event;
      const prefix = from === undefined ? null : parsePrefix(from);
      const empty = {
        account: null,
        proof: null,
        reason: null,
        isNewPlace: false,
        isKnownAccount: true,
        verdict: null,
        service: null,
        offence: null,
      };
      now += 1_000;
      all.take({ id: ++id, at: instant(now), type, prefix, ...empty, ...rest });
    },
    wait: (ms: number) => (now += ms),
    holding: () => all.holding(instant(now)).map(({ code, subject }) => `${code} ${subject}`.trim()),
    details: () => all.holding(instant(now)).map(({ detail }) => detail),
  };
}

test("failed sign-ins of the mail and of the dashboard are counted apart, and slide out of their window", () => {
  const kit = windows();
  for (let i = 0; i < 2; i++) kit.take("LOGIN_FAILED", { service: "imap", from: "203.0.113.7" });
  kit.take("LOGIN_FAILED", { service: "dashboard", from: "203.0.113.8" });
  assert.deepEqual(kit.holding(), []);
  kit.take("LOGIN_FAILED", { service: "submission", from: "203.0.113.9" });
  assert.deepEqual(kit.holding(), ["failed_logins"]);
  assert.match(kit.details()[0] ?? "", /^3 or more failed sign-ins within 10m, from 203\.0\.113\.7\/32, 203/);
  kit.take("LOGIN_FAILED", { service: "dashboard", from: "203.0.113.8" });
  assert.deepEqual(kit.holding(), ["failed_logins", "dashboard_logins"]);
  kit.wait(10 * MINUTE_MS);
  assert.deepEqual(kit.holding(), []);
});

test("what a guarded account refuses unheard counts as failed; what a ban refuses does not", () => {
  const kit = windows();
  for (let i = 0; i < 9; i++) kit.take("LOGIN_REFUSED", { reason: "banned", from: "203.0.113.7" });
  assert.deepEqual(kit.holding(), []);
  for (const last of [8, 9, 10])
    kit.take("LOGIN_REFUSED", { reason: "account_guarded", account: "Anna@example.test", from: `203.0.113.${last}` });
  assert.deepEqual(kit.holding(), ["failed_logins", "account_guarded anna@example.test"]);
  kit.wait(59 * MINUTE_MS);
  kit.take("LOGIN_REFUSED", { reason: "account_guarded", account: "anna@example.test", from: "203.0.113.8" });
  kit.wait(59 * MINUTE_MS);
  assert.deepEqual(kit.holding(), ["account_guarded anna@example.test"]);
  assert.deepEqual(kit.details(), ["sign-ins refused unheard, the last from 203.0.113.8/32"]);
  kit.wait(MINUTE_MS);
  assert.deepEqual(kit.holding(), [], "it is over an hour after the last");
});

test("a right password that was refused is told for each account by itself, for an hour", () => {
  const kit = windows();
  for (const account of ["anna@example.test", "bob@example.test"])
    kit.take("LOGIN_REFUSED", { reason: "right_password_guarded", account, from: "203.0.113.8" });
  const refused = ["right_password_refused anna@example.test", "right_password_refused bob@example.test"];
  const told = (): readonly string[] => kit.holding().filter((one) => one.startsWith("right_password_refused"));
  assert.deepEqual(told(), refused);
  assert.equal(alertText("right_password_refused").severity, "critical", "told in quiet hours too");
  kit.wait(HOUR_MS);
  assert.deepEqual(told(), []);
});

test("accounts that nobody has leave room for those that somebody has", () => {
  const kit = windows({ failed_logins: 1_000 });
  const refuse = (account: string, isKnownAccount: boolean): void =>
    kit.take("LOGIN_REFUSED", { reason: "account_guarded", account, from: "203.0.113.8", isKnownAccount });
  for (let i = 0; i < 100; i++) refuse(`nobody${i}@example.test`, false);
  assert.equal(kit.holding().length, 10);
  refuse("anna@example.test", true);
  assert.ok(kit.holding().includes("account_guarded anna@example.test"));
});

test("a network counts once, however often it connects or is banned", () => {
  const kit = windows();
  for (let i = 0; i < 9; i++) kit.take("CONNECT", { from: "203.0.113.7" });
  for (let i = 0; i < 9; i++) kit.take("BAN", { from: "203.0.113.7", reason: "mail_limit", offence: 1 });
  assert.deepEqual(kit.holding(), []);
  kit.take("CONNECT_REFUSED", { from: "203.0.113.8" });
  kit.take("CONNECT", { from: "2001:db8::/64" });
  assert.deepEqual(kit.holding(), ["unusual_connections"]);
  kit.take("BAN", { from: "203.0.113.8", reason: "manual" });
  assert.deepEqual(kit.holding(), ["unusual_connections"], "what the owner bans is no surprise");
  kit.take("BAN", { from: "203.0.113.9", reason: "mail_limit", offence: 2 });
  assert.deepEqual(kit.holding(), ["unusual_connections", "many_bans"]);
  kit.take("BAN", { from: "203.0.113.10", reason: "mail_limit", offence: 12 });
  assert.deepEqual(kit.holding(), ["unusual_connections", "many_bans", "repeated_violations"]);
});

test("mail that was taken and refused is lost, that of a user's own which others refuse is not", () => {
  const kit = windows();
  kit.take("EMAIL_BOUNCED", { verdict: "refuse" });
  assert.deepEqual(kit.holding(), []);
  kit.take("EMAIL_BOUNCED", { verdict: "lose" });
  assert.deepEqual(kit.holding(), ["mail_undelivered"]);
  const other = windows();
  other.take("BOUNCE_WITHHELD", { verdict: "withhold" });
  assert.deepEqual(other.holding(), ["mail_undelivered"]);
});

test("spam is what was marked, and what was refused for what it is", () => {
  const kit = windows();
  kit.take("SPAM_SCORED", { verdict: "pass" });
  kit.take("EMAIL_BLOCKED", { reason: "recipient_unknown" });
  kit.take("SPAM_SCORED", { verdict: "mark" });
  kit.take("EMAIL_BLOCKED", { reason: "spam_refused" });
  assert.deepEqual(kit.holding(), []);
  kit.take("EMAIL_BLOCKED", { reason: "block_listed" });
  assert.deepEqual(kit.holding(), ["spam_volume"]);
});

test("a right password after different wrong ones of the same origin is guessed, until it is changed", () => {
  const kit = windows({ failed_logins: 100 });
  const fail = (proof: string, from = "203.0.113.7"): void =>
    kit.take("LOGIN_FAILED", { account: "Anna@example.test", proof, from });
  const succeed = (from = "203.0.113.7"): void =>
    kit.take("LOGIN_SUCCEEDED", { account: "anna@example.test", from, isNewPlace: true });
  for (let i = 0; i < 20; i++) fail("stale");
  succeed();
  assert.deepEqual(kit.holding(), [], "one stale password, however often, is no guessing");
  for (const proof of ["a", "b", "c"]) fail(proof);
  succeed("198.51.100.1");
  assert.deepEqual(kit.holding(), [], "the owner, from elsewhere");
  succeed();
  assert.deepEqual(kit.holding(), ["password_guessed anna@example.test"]);
  kit.wait(20 * HOUR_MS);
  kit.take("PASSWORD_CHANGED", { account: "bob@example.test" });
  assert.deepEqual(kit.holding(), ["password_guessed anna@example.test"]);
  kit.take("PASSWORD_CHANGED", { account: "anna@example.test" });
  assert.deepEqual(kit.holding(), []);
  for (const proof of ["a", "b"]) fail(proof);
  kit.wait(HOUR_MS);
  fail("c");
  succeed();
  assert.deepEqual(kit.holding(), [], "what lies longer than an hour ago counts no more");
});

test("an owner who mistypes where the account is known is no guesser; who tries twenty there is", () => {
  const kit = windows({ failed_logins: 1_000 });
  const [account, from] = ["anna@example.test", "203.0.113.7"];
  for (let i = 0; i < 14; i++) kit.take("LOGIN_FAILED", { account, proof: `${i}`, from });
  kit.take("LOGIN_SUCCEEDED", { account, from });
  assert.deepEqual(kit.holding(), []);
  kit.take("LOGIN_FAILED", { account, proof: "one more", from });
  kit.take("LOGIN_SUCCEEDED", { account, from });
  assert.deepEqual(kit.holding(), ["password_guessed anna@example.test"]);
});

test("failures that only a log told are no further password beside those that are known", () => {
  const kit = windows({ failed_logins: 1_000 });
  const [account, from] = ["anna@example.test", "203.0.113.7"];
  for (const proof of ["stale", null, "another", null]) kit.take("LOGIN_FAILED", { account, proof, from });
  kit.take("LOGIN_SUCCEEDED", { account, from, isNewPlace: true });
  assert.deepEqual(kit.holding(), []);
  kit.take("LOGIN_FAILED", { account, proof: "a third", from });
  kit.take("LOGIN_SUCCEEDED", { account, from, isNewPlace: true });
  assert.deepEqual(kit.holding(), ["password_guessed anna@example.test"]);
});

test("a flood of names that nobody has hides no guessed password", () => {
  const kit = windows({ failed_logins: 1_000_000 });
  const [account, from] = ["anna@example.test", "203.0.113.7"];
  for (const proof of ["a", "b", "c"]) kit.take("LOGIN_FAILED", { account, proof, from });
  const other = { from: "203.0.113.8", proof: "x", isKnownAccount: false };
  for (let i = 0; i < 2_100; i++) kit.take("LOGIN_FAILED", { account: `nobody${i}@example.test`, ...other });
  kit.take("LOGIN_SUCCEEDED", { account, from, isNewPlace: true });
  assert.deepEqual(kit.holding(), ["password_guessed anna@example.test"]);
});

test("a guessed password is told of for a day, also from before a restart", () => {
  const kit = windows({ failed_logins: 1_000 });
  const [account, from] = ["anna@example.test", "203.0.113.7"];
  for (const proof of ["a", "b", "c"]) kit.take("LOGIN_FAILED", { account, proof, from });
  kit.take("LOGIN_SUCCEEDED", { account, from, isNewPlace: true });
  const alert = { code: "password_guessed", subject: "bob@example.test", detail: "", resolvedAt: null } as const;
  kit.all.remember([{ ...alert, openedAt: instant(HOUR_MS), lastAt: instant(HOUR_MS) }]);
  kit.wait(24 * HOUR_MS - 1_000);
  assert.deepEqual(kit.holding(), ["password_guessed anna@example.test", "password_guessed bob@example.test"]);
  kit.wait(1_000);
  assert.deepEqual(kit.holding(), ["password_guessed bob@example.test"]);
  kit.wait(HOUR_MS);
  assert.deepEqual(kit.holding(), []);
});

test("after very many wrong ones from everywhere, a right one from a new place is guessed; one from a known place not", () => {
  const kit = windows({ failed_logins: 1_000 });
  const account = "anna@example.test";
  for (let i = 0; i < 15; i++) kit.take("LOGIN_FAILED", { account, proof: `${i}`, from: `203.0.113.${i}` });
  kit.take("LOGIN_SUCCEEDED", { account, from: "198.51.100.1" });
  assert.deepEqual(kit.holding(), []);
  kit.take("LOGIN_SUCCEEDED", { account, from: "198.51.100.2", isNewPlace: true });
  assert.deepEqual(kit.holding(), ["password_guessed anna@example.test"]);
});

test("a million networks cost no more memory than a threshold of them", () => {
  const kit = windows();
  for (let i = 0; i < 5_000; i++) {
    kit.take("CONNECT", { from: `10.${i >> 8}.${i & 255}.1` });
    kit.take("LOGIN_FAILED", { account: `user${i}@example.test`, proof: "x", from: "203.0.113.7" });
  }
  assert.deepEqual(kit.holding(), ["failed_logins", "unusual_connections"]);
  assert.ok(kit.details().every((detail) => detail.length < 200));
});

test("each of the account's alerts has room for fifty accounts that somebody has, and room comes back", () => {
  const kit = windows({ failed_logins: 10_000 });
  const refuse = (name: string, reason = "account_guarded"): void =>
    kit.take("LOGIN_REFUSED", { reason, account: `${name}@example.test`, isKnownAccount: true });
  for (let i = 0; i < 51; i++) refuse(`user${i}`);
  assert.equal(kit.holding().length, 50);
  refuse("user51", "right_password_guarded");
  assert.deepEqual(kit.holding().slice(50), ["right_password_refused user51@example.test"]);
  assert.equal(kit.details()[0], "sign-ins refused unheard, the last from ?");
  kit.wait(HOUR_MS);
  refuse("user52");
  assert.deepEqual(kit.holding(), ["account_guarded user52@example.test"]);
});

test("an event that names no account, or is no refused sign-in, puts no account in danger", () => {
  const kit = windows({ failed_logins: 100 });
  kit.take("LOGIN_REFUSED", { reason: "account_guarded" });
  kit.take("LOGIN_REFUSED", { reason: "account_guarded", account: "" });
  kit.take("LOGIN_FAILED", { reason: "account_guarded", account: "anna@example.test" });
  assert.deepEqual(kit.holding(), []);
});

test("an alert names the three that did most, the most of all first, and says where there are others", () => {
  const kit = windows({ failed_logins: 10 });
  const fail = (name: string, times: number): void => {
    for (let i = 0; i < times; i++) kit.take("LOGIN_FAILED", { account: `${name}@example.test` });
  };
  fail("one", 1);
  fail("four", 4);
  fail("two", 2);
  fail("three", 3);
  assert.deepEqual(kit.details(), [
    "10 or more failed sign-ins within 10m, from four@example.test, three@example.test, two@example.test",
  ]);
  const nameless = windows({ failed_logins: 2 });
  for (let i = 0; i < 2; i++) nameless.take("LOGIN_FAILED");
  assert.deepEqual(nameless.details(), ["2 or more failed sign-ins within 10m"]);
  const networks = windows({ unusual_connections: 2 });
  for (const last of [7, 8]) networks.take("CONNECT", { from: `203.0.113.${last}`, account: "not@example.test" });
  assert.deepEqual(networks.details(), [
    "2 or more networks connected within 10m, from 203.0.113.7/32, 203.0.113.8/32 and others",
  ]);
});

test("a network that is seen again stays as long as its last time, and the oldest slides out at its very end", () => {
  const kit = windows({ unusual_connections: 2 });
  kit.take("CONNECT", { from: "203.0.113.7" });
  kit.take("CONNECT", { from: "203.0.113.8" });
  kit.wait(9 * MINUTE_MS);
  kit.take("CONNECT", { from: "203.0.113.7" });
  kit.wait(MINUTE_MS - 1_001);
  assert.deepEqual(kit.holding(), ["unusual_connections"]);
  kit.wait(1);
  assert.deepEqual(kit.holding(), []);
  kit.take("CONNECT", { from: "203.0.113.9" });
  assert.deepEqual(kit.holding(), ["unusual_connections"]);
});

test("what lies further back than the threshold is forgotten, and named no more", () => {
  const kit = windows({ failed_logins: 3 });
  for (const name of ["a", "a", "a", "a", "b", "b", "b"]) kit.take("LOGIN_FAILED", { account: `${name}@example.test` });
  assert.deepEqual(kit.details(), ["3 or more failed sign-ins within 10m, from b@example.test"]);
});
