import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { windows, windowsOf } from "../../../test/kit/alert-windows-kit.ts";
import { ALERT_EVENT_TYPES } from "../../core/alerts/rules.ts";
import { EVENT_TYPES } from "../../core/events/event-types.ts";
import { MINUTE_MS } from "../../core/time.ts";

const kit = windowsOf(import.meta.filename);

test("failed sign-ins to mail and to the dashboard are counted separately, and leave their window", () => {
  for (let i = 0; i < 2; i++) kit.take("LOGIN_FAILED", { service: "imap", from: "203.0.113.7" });
  assert.deepEqual(kit.after("LOGIN_FAILED", { service: "dashboard", from: "203.0.113.8" }), []);
  assert.deepEqual(kit.after("LOGIN_FAILED", { service: "submission", from: "203.0.113.9" }), ["failed_logins"]);
  assert.match(kit.details()[0] ?? "", /^3 or more failed sign-ins within 10m, from 203\.0\.113\.7\/32, 203/);
  kit.take("LOGIN_FAILED", { service: "dashboard", from: "203.0.113.8" });
  assert.deepEqual(kit.holding(), ["failed_logins", "dashboard_logins"]);
  assert.deepEqual(kit.afterMs(10 * MINUTE_MS), []);
  for (let i = 0; i < 3; i++) kit.take("LOGIN_FAILED", { service: "imap", from: "203.0.113.7" });
  assert.deepEqual(kit.afterMs(-20 * MINUTE_MS), [], "a clock that was set back");
});

test("a network counts once, however often it connects or is banned", () => {
  for (let i = 0; i < 9; i++) kit.take("CONNECT", { from: "203.0.113.7" });
  for (let i = 0; i < 9; i++) kit.take("BAN", { from: "203.0.113.7", reason: "mail_limit", offence: 1 });
  assert.deepEqual(kit.holding(), []);
  kit.take("CONNECT_REFUSED", { from: "203.0.113.8" });
  assert.deepEqual(kit.after("CONNECT", { from: "2001:db8::/64" }), ["unusual_connections"]);
  kit.take("BAN", { from: "203.0.113.9", reason: "mail_limit", offence: 2 });
  assert.deepEqual(kit.holding(), ["unusual_connections", "many_bans"]);
  kit.take("BAN", { from: "203.0.113.10", reason: "mail_limit", offence: 12 });
  assert.deepEqual(kit.holding(), ["unusual_connections", "many_bans", "repeated_violations"]);
});

test("accepted mail that is then refused is lost; a user's mail that other servers refuse is not", () => {
  assert.deepEqual(kit.after("EMAIL_BOUNCED", { verdict: "refuse" }), []);
  for (const subject of ["info@example.test", "Info+1@example.test", "anna@example.test"])
    kit.take("EMAIL_BOUNCED", { verdict: "lose", subject });
  assert.deepEqual(kit.holding(), ["mail_undelivered info@example.test", "mail_undelivered anna@example.test"]);
  assert.equal(kit.details()[0], "a delivery failed permanently");
  for (let i = 0; i < 30; i++) kit.take("EMAIL_BOUNCED", { verdict: "lose", subject: `a${i}@example.test` });
  assert.equal(kit.holding().length, 21);
  assert.equal(kit.holding().at(-1), "mail_undelivered further addresses");
  const alerted = windows({}, ["Owner@elsewhere.test"]);
  alerted.take("EMAIL_BOUNCED", { verdict: "refuse", subject: "owner@elsewhere.test" });
  assert.deepEqual(alerted.holding(), ["mail_undelivered owner@elsewhere.test"], "alerts do not arrive");
  assert.deepEqual(alerted.details(), ["alerts go there, and a delivery failed permanently"]);
  const other = windows();
  assert.deepEqual(other.after("BOUNCE_WITHHELD", { verdict: "withhold" }), ["mail_undelivered"]);
  assert.deepEqual(other.details(), ["a report about mail was withheld"]);
});

test("a million networks use no more memory than the threshold", () => {
  for (let i = 0; i < 5_000; i++) {
    kit.take("CONNECT", { from: `10.${i >> 8}.${i & 255}.1` });
    kit.take("LOGIN_FAILED", { account: `user${i}@example.test`, proof: "x", from: "203.0.113.7" });
  }
  assert.deepEqual(kit.holding(), ["failed_logins", "unusual_connections"]);
  assert.ok(kit.details().every((detail) => detail.length < 200));
});

test("an alert names the three with the most events, largest first, and says if there are others", () => {
  const kit = windows({ failed_logins: 10 });
  for (const [name, times] of Object.entries({ one: 1, four: 4, two: 2, three: 3 }))
    for (let i = 0; i < times; i++) kit.take("LOGIN_FAILED", { account: `${name}@example.test` });
  const most = "four@example.test, three@example.test, two@example.test";
  assert.deepEqual(kit.details(), [`10 or more failed sign-ins within 10m, from ${most}`]);
  const nameless = windows({ failed_logins: 2 });
  for (let i = 0; i < 2; i++) nameless.take("LOGIN_FAILED");
  assert.deepEqual(nameless.details(), ["2 or more failed sign-ins within 10m"]);
  const networks = windows({ unusual_connections: 2 });
  for (const last of [7, 8]) networks.take("CONNECT", { from: `203.0.113.${last}`, account: "not@example.test" });
  const two = "203.0.113.7/32, 203.0.113.8/32 and others";
  assert.deepEqual(networks.details(), [`2 or more addresses connected within 10m, from ${two}`]);
});

test("a network that is seen again stays until its last time leaves the window", () => {
  const kit = windows({ unusual_connections: 2 });
  kit.take("CONNECT", { from: "203.0.113.7" });
  kit.take("CONNECT", { from: "203.0.113.8" });
  kit.wait(9 * MINUTE_MS);
  kit.take("CONNECT", { from: "203.0.113.7" });
  assert.deepEqual(kit.afterMs(MINUTE_MS - 1_001), ["unusual_connections"]);
  assert.deepEqual(kit.afterMs(1), []);
  assert.deepEqual(kit.after("CONNECT", { from: "203.0.113.9" }), ["unusual_connections"]);
});

test("events beyond the threshold are forgotten, and no longer named", () => {
  const kit = windows({ failed_logins: 3 });
  for (const name of ["a", "a", "a", "a", "b", "b", "b"]) kit.take("LOGIN_FAILED", { account: `${name}@example.test` });
  assert.deepEqual(kit.details(), ["3 or more failed sign-ins within 10m, from b@example.test"]);
});

test("each event type that a window names is among those read for alerts", () => {
  const files = globSync("*windows.ts", { cwd: import.meta.dirname });
  assert.ok(files.length > 2, files.join());
  for (const file of files) {
    const words = new Set(readFileSync(`${import.meta.dirname}/${file}`, "utf8").match(/\b[A-Z]+(?:_[A-Z]+)+\b/g));
    const unread = EVENT_TYPES.filter((type) => words.has(type) && !ALERT_EVENT_TYPES.includes(type));
    assert.deepEqual(unread, [], file);
  }
});
