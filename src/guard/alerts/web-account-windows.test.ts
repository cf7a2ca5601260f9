import assert from "node:assert/strict";
import { test } from "node:test";
import { windowsOf } from "../../../test/kit/alert-windows-kit.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";

const kit = windowsOf(import.meta.filename);

const WEB = "web:admin via 203.0.113.9";
const ANNA = "anna@example.test";
const by = (name: string) => ({ account: name, actor: `mailbox:${name} via 203.0.113.9` });

test("each change of an account through the web is reported for a day; root's are not", () => {
  kit.take("ACCOUNT_ADDED", { account: "mine@example.test", actor: "root" });
  kit.take("ACCOUNT_SUSPENDED", { account: ANNA, actor: WEB });
  kit.take("LOGIN_SUCCEEDED", { account: ANNA });
  assert.deepEqual(kit.holding(), []);
  kit.take("ACCOUNT_ADDED", { account: ANNA, actor: WEB });
  kit.take("PASSWORD_CHANGED", { account: ANNA, actor: WEB });
  kit.take("PASSWORD_CHANGED", { account: ANNA, actor: WEB });
  kit.take("ACCOUNT_RESUMED", { account: ANNA, actor: WEB });
  kit.take("ACCOUNT_RELEASED", { account: ANNA, actor: WEB });
  const reported = [4, 5, 6, 7, 8].map((id) => `web_account ${ANNA} (event ${id})`);
  assert.deepEqual(kit.holding(), reported, "the second new password is reported as well");
  assert.equal(kit.details()[4], `had its held mail sent, by ${WEB}`);
  kit.wait(DAY_MS);
  assert.deepEqual(kit.holding(), []);
});

test("changes that outlast a stolen mailbox password are reported, and hide nothing", () => {
  const user = `mailbox:${ANNA} via 203.0.113.9`;
  kit.take("PASSWORD_CHANGED", { account: ANNA, actor: user });
  assert.deepEqual(kit.holding(), [], "users change their own");
  for (let i = 0; i < 30; i++) kit.take("FORWARDING_CHANGED", { account: ANNA, subject: `${ANNA} to x`, actor: user });
  assert.equal(kit.details()[0], `its forwarding: ${ANNA} to x, by ${user}`);
  kit.take("APP_PASSWORD_MADE", { account: "bert@example.test", actor: WEB });
  assert.ok(kit.holding().includes("web_account bert@example.test (event 32)"));
  assert.equal(kit.details().at(-1), "got a password for a mail program, by web:admin via 203.0.113.9");
});

test("one user's many changes hide no other user's", () => {
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

test("a few users who change something every hour leave another's change an alert", () => {
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
  kit.take("FORWARDING_CHANGED", paused);
  assert.deepEqual(kit.holding(), [`web_account ${ANNA} (event 2)`]);
  assert.match(kit.details()[0] ?? "", /^too much mail left through its forward/);
  const user = `mailbox:${ANNA} via 203.0.113.9`;
  for (let i = 0; i < 9; i++) kit.take("FORWARDING_CHANGED", { account: ANNA, actor: user });
  kit.take("FORWARDING_CHANGED", paused);
  assert.ok(kit.holding().includes(`web_account ${ANNA} (event 12)`));
});

test("a file of accounts leaves room for other alerts, and hides no takeover", () => {
  for (let i = 0; i < 60; i++) kit.take("ACCOUNT_ADDED", { account: `a${i}@example.test`, actor: WEB });
  assert.equal(kit.holding().length, 11);
  kit.take("PASSWORD_CHANGED", { account: ANNA, actor: WEB });
  assert.ok(kit.holding().includes(`web_account ${ANNA} (event 61)`));
  kit.wait(-2 * DAY_MS);
  assert.deepEqual(kit.holding(), [], "a clock that was set back");
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

test("replies hide no forward, not even through the web", () => {
  for (let i = 0; i < 30; i++)
    kit.take("VACATION_CHANGED", { account: ANNA, subject: `${ANNA} no longer`, actor: WEB });
  kit.take("FORWARDING_CHANGED", { account: "bert@example.test", subject: "bert@example.test to x", actor: WEB });
  for (let i = 0; i < 30; i++)
    kit.take("VACATION_CHANGED", { account: ANNA, subject: `${ANNA} ${i}`, actor: `mailbox:${ANNA}` });
  assert.ok(kit.holding().includes("web_account bert@example.test (event 31)"));
});

test("replies set by users hide none that the web set for others", () => {
  for (let i = 0; i < 30; i++)
    kit.take("VACATION_CHANGED", { account: ANNA, subject: `${ANNA} ${i}`, actor: `mailbox:${ANNA}` });
  kit.take("VACATION_CHANGED", { account: "bert@example.test", subject: "bert@example.test until", actor: WEB });
  assert.ok(kit.holding().includes("web_account bert@example.test (event 31)"));
});

test("the end of a vacation reply is not reported as a new one", () => {
  kit.take("VACATION_CHANGED", { account: ANNA, subject: `${ANNA} no longer`, actor: WEB });
  assert.deepEqual(kit.details(), [`its vacation reply: ${ANNA} no longer, by ${WEB}`]);
});
