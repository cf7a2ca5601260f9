import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, type Kept } from "./compare.ts";

const none = { networks: [], quotaBytes: null, appPasswords: [], forwards: [], reply: "" };
const account = { name: "anna@example.test", password: "1", suspended: false, ...none };
const alias = { address: "info@example.test", targets: ["b@x.test", "a@x.test"], blocked: false };
const setting = { value: '"x"', shown: '"x"' };
const THEN: Kept = { accounts: [account], aliases: [alias], settings: new Map([["hostname", setting]]) };

const told = (now: Partial<Kept>, then: Partial<Kept> = {}) =>
  differences({ ...THEN, ...then }, { ...THEN, ...now }).map(({ what, was, is }) => `${what}: ${was} -> ${is}`);

test("the same is no difference, in whatever order it comes", () => {
  assert.deepEqual(told({ aliases: [{ ...alias, targets: alias.targets.toReversed() }] }), []);
});

for (const [what, now, says] of [
  ["a new account", { accounts: [account, { ...account, name: "eve@x.test" }] }, "account eve@x.test: null -> there"],
  ["an account that is gone", { accounts: [] }, "account anna@example.test: there -> null"],
  [
    "another password",
    { accounts: [{ ...account, password: "2" }] },
    "password of anna@example.test: the backup's -> another",
  ],
  [
    "a suspended account",
    { accounts: [{ ...account, suspended: true }] },
    "account anna@example.test: active -> suspended",
  ],
  [
    "other networks",
    { accounts: [{ ...account, networks: ["203.0.113.0/24"] }] },
    "networks of anna@example.test: anywhere -> 203.0.113.0/24",
  ],
  [
    "an app password",
    { accounts: [{ ...account, appPasswords: ["phone (2026-11-20)"] }] },
    "app passwords of anna@example.test: none -> phone (2026-11-20)",
  ],
  [
    "mail that is sent on",
    { accounts: [{ ...account, forwards: ["anna@example.test", "eve@evil.test"] }] },
    "forwarding of anna@example.test: off -> to anna@example.test eve@evil.test",
  ],
  [
    "a vacation reply",
    { accounts: [{ ...account, reply: "Away: Write to eve@evil.test." }] },
    "vacation reply of anna@example.test: off -> Away: Write to eve@evil.test.",
  ],
  ["another quota", { accounts: [{ ...account, quotaBytes: 5 }] }, "quota of anna@example.test: default -> 5 bytes"],
  [
    "another target",
    { aliases: [{ ...alias, targets: ["eve@evil.test"] }] },
    "alias info@example.test: to a@x.test b@x.test -> to eve@evil.test",
  ],
  [
    "a blocked alias",
    { aliases: [{ ...alias, blocked: true }] },
    "alias info@example.test: to a@x.test b@x.test -> to a@x.test b@x.test, blocked",
  ],
  ["a setting", { settings: new Map([["hostname", { value: '"y"', shown: '"y"' }]]) }, 'setting hostname: "x" -> "y"'],
] as const)
  test(`${what} is told`, () => assert.deepEqual(told(now), [says]));

test("a secret is told to be another, and not shown", () => {
  const secret = (value: string) => new Map([["alerts.ntfy", { value, shown: "(secret)" }]]);
  assert.deepEqual(told({ settings: secret('"b"') }, { settings: secret('"a"') }), [
    "setting alerts.ntfy: (secret) -> another value",
  ]);
});
