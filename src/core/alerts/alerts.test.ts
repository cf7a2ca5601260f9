import assert from "node:assert/strict";
import { test } from "node:test";
import { alertText, conditions, isAlertCode, isServerIll } from "./alerts.ts";
import { notices } from "./notices.ts";
import { eventRules, isSpike } from "./rules.ts";

test("every alert says what happened, why it matters, and what to do with a command or a setting", () => {
  for (const code of [...Object.keys(conditions), ...Object.keys(notices)]) {
    assert.ok(isAlertCode(code), code);
    const { says, matters, next, severity } = alertText(code);
    for (const text of [says, next]) assert.match(text, /^\S.*\.$/, code);
    assert.ok(matters !== "" || /[:,]/.test(says) || code in notices, code);
    assert.match(severity, /^(info|warning|critical)$/);
  }
  assert.ok(!isAlertCode("toString"));
});

test("each rule over events belongs to a condition, and no two to one", () => {
  const codes = eventRules.map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
  for (const code of codes) assert.ok(code in conditions);
});

test("a spike is both much and far more than usual", () => {
  const limits = { minimum: 1_000, factor: 5 };
  assert.equal(isSpike(999, 0, limits), false);
  assert.equal(isSpike(1_000, 0, limits), true);
  assert.equal(isSpike(1_000, 201, limits), false);
  assert.equal(isSpike(1_005, 201, limits), true);
});

test("the server's status is critical while an alert is, unless the alert is about an account", () => {
  for (const [code, isIll] of [
    ["component_down", true],
    ["disk_nearly_full", true],
    ["password_guessed", false],
    ["right_password_refused", false],
    ["failed_logins", false],
    ["greylist_silent", false],
  ] as const)
    assert.equal(isServerIll(code), isIll, code);
});

test("an owner's own changes through the web are warnings, and critical only from a new network", () => {
  for (const code of ["web_token", "web_account", "web_settings", "web_factor", "web_passkey"] as const)
    assert.equal(alertText(code).severity, "warning", code);
  assert.equal(alertText("web_new_network").severity, "critical");
});

test("a notice is a warning unless it is more or less than that", () => {
  const severities = ["keeper_unreachable", "greylist_silent", "connections_uncounted"] as const;
  assert.deepEqual(
    severities.map((code) => alertText(code).severity),
    ["critical", "warning", "info"],
  );
});
