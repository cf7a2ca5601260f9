import assert from "node:assert/strict";
import { test } from "node:test";
import { windows, windowsOf } from "../../../test/kit/alert-windows-kit.ts";
import { alertText } from "../../core/alerts/alerts.ts";
import { DAY_MS, HOUR_MS, instant, MINUTE_MS } from "../../core/time.ts";

const kit = windowsOf(import.meta.filename, { failed_logins: 1_000 });
const ANNA = "anna@example.test";

test("a sign-in that a guarded account refuses counts as failed, and is reported for an hour", () => {
  const kit = windows();
  for (const last of [8, 9, 10])
    kit.take("LOGIN_REFUSED", { reason: "account_guarded", account: "Anna@example.test", from: `203.0.113.${last}` });
  assert.deepEqual(kit.holding(), ["failed_logins", `account_guarded ${ANNA}`]);
  kit.wait(59 * MINUTE_MS);
  kit.take("LOGIN_REFUSED", { reason: "account_guarded", account: ANNA, from: "203.0.113.8" });
  assert.deepEqual(kit.afterMs(59 * MINUTE_MS), [`account_guarded ${ANNA}`]);
  assert.deepEqual(kit.details(), ["sign-ins refused without a check, the last from 203.0.113.8/32"]);
  assert.deepEqual(kit.afterMs(MINUTE_MS), [], "it ends an hour after the last");
});

for (const [reason, codes, hours] of [
  ["right_password_guarded", ["account_guarded", "right_password_refused"], 1],
  ["known_address_capped", ["known_address_capped"], 24],
  ["known_address_at_others", ["known_address_capped"], 24],
] as const)
  test(`a sign-in refused as ${reason} is reported once for each account, for ${hours} h`, () => {
    const bob = "bob@example.test";
    for (const account of [ANNA, bob, bob]) kit.take("LOGIN_REFUSED", { reason, account, from: "203.0.113.8" });
    kit.wait(hours * HOUR_MS - 3_000);
    const reported = codes.flatMap((code) => [`${code} ${ANNA}`, `${code} ${bob}`]);
    assert.deepEqual(kit.holding(), reported);
    assert.deepEqual(kit.afterMs(3_000), []);
  });

test("a refused right password is reported in quiet hours too", () =>
  assert.equal(alertText("right_password_refused").severity, "critical"));

test("an alert names no account that only strangers name", () => {
  const refuse = (account: string, isKnownAccount: boolean): void =>
    kit.take("LOGIN_REFUSED", { reason: "account_guarded", account, from: "203.0.113.8", isKnownAccount });
  for (let i = 0; i < 100; i++) refuse(`unlock-at.evil${i}.example`, false);
  refuse(ANNA, true);
  assert.deepEqual(kit.holding(), ["account_guarded", `account_guarded ${ANNA}`]);
});

test("each alert about accounts has room for fifty existing accounts, and room becomes free again", () => {
  const refuse = (name: string, reason = "account_guarded"): void =>
    kit.take("LOGIN_REFUSED", { reason, account: `${name}@example.test`, isKnownAccount: true });
  for (let i = 0; i < 51; i++) refuse(`user${i}`);
  assert.equal(kit.holding().length, 50);
  refuse("user51", "right_password_guarded");
  assert.deepEqual(kit.holding().slice(50), ["right_password_refused user51@example.test"]);
  assert.equal(kit.details()[0], "sign-ins refused without a check, the last from ?");
  kit.wait(HOUR_MS);
  refuse("user52");
  assert.deepEqual(kit.holding(), ["account_guarded user52@example.test"]);
});

test("an event without an account, or without a refused sign-in, raises no alert", () => {
  kit.take("LOGIN_REFUSED", { reason: "account_guarded" });
  kit.take("LOGIN_REFUSED", { reason: "account_guarded", account: "" });
  assert.deepEqual(kit.after("LOGIN_FAILED", { reason: "account_guarded", account: ANNA }), []);
});

test("spraying is reported from the first sign-in refused because of it, for an hour", () => {
  kit.take("LOGIN_REFUSED", { reason: "spraying", account: ANNA, from: "203.0.113.8" });
  assert.deepEqual(kit.holding(), ["spraying"]);
  assert.deepEqual(kit.afterMs(HOUR_MS), []);
});

const WEB = "web:admin via 203.0.113.9";
const by = (name: string) => ({ account: name, actor: `mailbox:${name} via 203.0.113.9` });

test("each change of an account through the web is reported for a day; root's are not", () => {
  kit.take("ACCOUNT_ADDED", { account: "mine@example.test", actor: "root" });
  kit.take("ACCOUNT_SUSPENDED", { account: ANNA, actor: WEB });
  assert.deepEqual(kit.after("LOGIN_SUCCEEDED", { account: ANNA }), []);
  kit.take("ACCOUNT_ADDED", { account: ANNA, actor: WEB });
  kit.take("PASSWORD_CHANGED", { account: ANNA, actor: WEB });
  kit.take("PASSWORD_CHANGED", { account: ANNA, actor: WEB });
  kit.take("ACCOUNT_RESUMED", { account: ANNA, actor: WEB });
  kit.take("ACCOUNT_RELEASED", { account: ANNA, actor: WEB });
  const reported = [4, 5, 6, 7, 8].map((id) => `web_account ${ANNA} (event ${id})`);
  assert.deepEqual(kit.holding(), reported, "the second new password is reported as well");
  assert.equal(kit.details()[4], `had its held mail sent, by ${WEB}`);
  assert.deepEqual(kit.afterMs(DAY_MS), []);
});

test("changes that outlast a stolen mailbox password are reported, and do not hide others", () => {
  assert.deepEqual(kit.after("PASSWORD_CHANGED", by(ANNA)), [], "users change their own");
  for (let i = 0; i < 30; i++) kit.take("FORWARDING_CHANGED", { ...by(ANNA), subject: `${ANNA} to x` });
  assert.equal(kit.details()[0], `its forwarding: ${ANNA} to x, by ${by(ANNA).actor}`);
  kit.take("APP_PASSWORD_MADE", { account: "bert@example.test", actor: WEB });
  assert.ok(kit.holding().includes("web_account bert@example.test (event 32)"));
  assert.equal(kit.details().at(-1), "got a password for a mail program, by web:admin via 203.0.113.9");
});

test("many changes by one user do not hide another user's", () => {
  for (let i = 0; i < 30; i++) kit.take("APP_PASSWORD_MADE", by("bert@example.test"));
  kit.take("FORWARDING_CHANGED", by(ANNA));
  assert.equal(kit.holding().length, 7);
  assert.match(kit.holding()[5] ?? "", /^web_account bert@example\.test \(further changes since /);
  assert.equal(kit.holding()[6], `web_account ${ANNA} (event 31)`);
});

test("changes of many users leave room for other alerts", () => {
  const change = (user: number): void => kit.take("APP_PASSWORD_MADE", by(`user${user}@example.test`));
  for (let i = 0; i < 35; i++) change(i % 7);
  assert.equal(kit.holding().length, 31, "half of the room is for other users");
  for (let i = 0; i < 300; i++) change(i % 60);
  assert.equal(kit.holding().length, 61);
  for (let i = 0; i < 21; i++) kit.take(i < 10 ? "PASSWORD_CHANGED" : "ACCOUNT_RESUMED", { account: ANNA, actor: WEB });
  assert.equal(kit.holding().length, 61 + 21, "twenty, and one about the others of this hour");
  const shared = kit.holding().filter((one) => one.includes("further changes"));
  const named = shared.map((one) => one.replace(/ since [^)]*/, ""));
  assert.deepEqual(named, ["web_account several users (further changes)", "web_account further changes"]);
});

test("a few users who change something every hour leave room for another user's alert", () => {
  for (let hour = 0; hour < 20; hour++) {
    for (const name of ["a@example.test", "b@example.test", "c@example.test"])
      for (let i = 0; i < 6; i++) kit.take("APP_PASSWORD_MADE", by(name));
    kit.wait(HOUR_MS);
  }
  kit.take("FORWARDING_CHANGED", by(ANNA));
  assert.ok(kit.holding().some((one) => one.startsWith(`web_account ${ANNA} (event `)));
});

test("a new forward that is paused raises the alert, which the user's own changes do not hide", () => {
  const paused = { account: ANNA, actor: "engine" };
  kit.take("ACCOUNT_REMOVED", paused);
  assert.deepEqual(kit.after("FORWARDING_CHANGED", paused), [`web_account ${ANNA} (event 2)`]);
  assert.match(kit.details()[0] ?? "", /^too much mail left through its forward/);
  for (let i = 0; i < 9; i++) kit.take("FORWARDING_CHANGED", by(ANNA));
  kit.take("FORWARDING_CHANGED", paused);
  assert.ok(kit.holding().includes(`web_account ${ANNA} (event 12)`));
});

test("a file of accounts leaves room for other alerts, and does not hide a takeover", () => {
  for (let i = 0; i < 60; i++) kit.take("ACCOUNT_ADDED", { account: `a${i}@example.test`, actor: WEB });
  assert.equal(kit.holding().length, 11);
  kit.take("PASSWORD_CHANGED", { account: ANNA, actor: WEB });
  assert.ok(kit.holding().includes(`web_account ${ANNA} (event 61)`));
  assert.deepEqual(kit.afterMs(-2 * DAY_MS), [], "a clock that was set back");
});

test("changes of networks and of alias targets are reported too", () => {
  kit.take("NETWORKS_CHANGED", { account: ANNA, subject: `${ANNA} from anywhere`, actor: WEB });
  kit.take("ALIAS_ADDED", { subject: "info@example.test to thief@evil.test", actor: WEB });
  kit.take("ALIAS_REMOVED", { subject: "info@example.test", actor: "root" });
  assert.deepEqual(kit.holding(), [`web_account ${ANNA} (event 1)`, "web_account info@example.test (event 2)"]);
  assert.deepEqual(kit.details(), [
    `may sign in now: ${ANNA} from anywhere, by ${WEB}`,
    `the alias was added: info@example.test to thief@evil.test, by ${WEB}`,
  ]);
  const many = `info@example.test to ${"x".repeat(400)}`;
  kit.take("ALIAS_ADDED", { subject: many, actor: WEB });
  assert.equal(kit.details()[2], `the alias was added: ${many.slice(0, 400)}, by ${WEB}`, "its first 400 characters");
});

test("vacation replies do not hide a forward, even through the web", () => {
  for (let i = 0; i < 30; i++)
    kit.take("VACATION_CHANGED", { account: ANNA, subject: `${ANNA} no longer`, actor: WEB });
  kit.take("FORWARDING_CHANGED", { account: "bert@example.test", subject: "bert@example.test to x", actor: WEB });
  for (let i = 0; i < 30; i++) kit.take("VACATION_CHANGED", { ...by(ANNA), subject: `${ANNA} ${i}` });
  assert.ok(kit.holding().includes("web_account bert@example.test (event 31)"));
});

test("vacation replies set by users do not hide those that the web set for others", () => {
  for (let i = 0; i < 30; i++) kit.take("VACATION_CHANGED", { ...by(ANNA), subject: `${ANNA} ${i}` });
  kit.take("VACATION_CHANGED", { account: "bert@example.test", subject: "bert@example.test until", actor: WEB });
  assert.ok(kit.holding().includes("web_account bert@example.test (event 31)"));
});

test("the end of a vacation reply is not reported as a new one", () => {
  kit.take("VACATION_CHANGED", { account: ANNA, subject: `${ANNA} no longer`, actor: WEB });
  assert.deepEqual(kit.details(), [`its vacation reply: ${ANNA} no longer, by ${WEB}`]);
});

const HELD = { account: ANNA, from: "203.0.113.66", count: 100, limit: 20, windowMs: HOUR_MS };

test("a held account is reported until its owner vouches for it, with the address and the reason", () => {
  assert.deepEqual(kit.after("EMAIL_HELD", HELD), [`account_held ${ANNA}`]);
  const why = `${ANNA} wrote to 100 people within 1h to whom it had never written, limit 20`;
  kit.take("EMAIL_HELD", HELD);
  kit.take("HELD_MAIL_DROPPED", { account: ANNA });
  assert.deepEqual(kit.details(), [`mail from 203.0.113.66/32 is held; ${why}`], "no number that would later fall");
  assert.deepEqual(kit.afterMs(3 * DAY_MS), [`account_held ${ANNA}`], "for as long as it lasts");
  assert.deepEqual(kit.after("ACCOUNT_RELEASED", { account: "bert@example.test" }), [`account_held ${ANNA}`]);
  assert.deepEqual(kit.after("ACCOUNT_RELEASED", { account: ANNA }), []);
});

test("a hold because of refusals says so", () => {
  kit.take("EMAIL_HELD", { ...HELD, count: 11, limit: 10, limitKey: "limits.sending.refused" });
  const why = `mail to 11 people to whom ${ANNA} had never written was refused within 1h, limit 10`;
  assert.deepEqual(kit.details(), [`mail from 203.0.113.66/32 is held; ${why}`]);
});

test("a hold from before a restart is still reported, unless it has ended since", () => {
  const times = { openedAt: instant(0), lastAt: instant(0), resolvedAt: null };
  kit.remember([{ code: "account_held", subject: ANNA, detail: "as before", ...times }]);
  assert.deepEqual(kit.details(), ["as before"]);
  kit.take("EMAIL_HELD", HELD);
  assert.match(kit.details()[0] ?? "", /^mail from 203/, "held since the restart");
  assert.deepEqual(kit.after("ACCOUNT_REMOVED", { account: ANNA }), []);
});

test("a sending limit is reported once, for an hour; ten mails within a minute are not reported", () => {
  const limited = { account: ANNA, from: "198.51.100.7", count: 51, limit: 50 };
  kit.take("EMAIL_DEFERRED", { ...limited, reason: "account_mail_limit", windowMs: MINUTE_MS });
  kit.take("EMAIL_DEFERRED", { ...limited, reason: "provider_busy", windowMs: HOUR_MS });
  kit.take("EMAIL_DEFERRED", { ...limited, account: null, reason: "account_recipient_limit", windowMs: MINUTE_MS });
  assert.deepEqual(kit.holding(), []);
  kit.take("EMAIL_DEFERRED", { ...limited, reason: "account_recipient_limit", windowMs: MINUTE_MS });
  assert.deepEqual(kit.holding(), [`sending_limited ${ANNA}`]);
  assert.deepEqual(kit.details(), ["51 recipients within 1m, limit 50, the last from 198.51.100.7/32"]);
  kit.take("EMAIL_DEFERRED", { ...limited, reason: "account_mail_limit", windowMs: HOUR_MS });
  assert.deepEqual(kit.details(), ["51 mails within 1h, limit 50, the last from 198.51.100.7/32"]);
  assert.deepEqual(kit.afterMs(HOUR_MS), []);
});

test("many accounts leave room for other alerts", () => {
  for (let i = 0; i < 200; i++) {
    kit.take("EMAIL_HELD", { account: `held${i}@example.test` });
    kit.take("EMAIL_DEFERRED", { account: `limited${i}@example.test`, reason: "account_recipient_limit" });
  }
  assert.equal(kit.holding().length, 100);
  const [held, limited] = [kit.details()[0], kit.details()[50]];
  assert.equal(held, "mail from ? is held", "as far as known");
  assert.equal(limited, "? recipients within 0ms, limit ?, the last from ?");
});
