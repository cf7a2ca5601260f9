import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY_MS, HOUR_MS } from "../time.ts";
import { type AlertCode, alertText, conditions, endedByTime, isAlertCode, isServerIll } from "./alerts.ts";
import { alertFrames, alertTextIn } from "./frames.ts";
import { notices } from "./notices.ts";
import { eventRules, isSpike } from "./rules.ts";

const CODES: readonly AlertCode[] = [...Object.keys(notices), ...Object.keys(conditions)].filter(isAlertCode);
/** Commands, settings and files, which must be the same in both languages. */
const LITERAL = /`[^`]+`|\b(?:docs|log)\/[\w/.-]+|\b[a-z]+\.[a-z]+_?[a-z.]*\b/g;
const literalsOf = (text: string) => [...new Set(text.match(LITERAL) ?? [])].toSorted();

test("every alert says in sentences what happened, why it matters and what to do, in both languages", () => {
  for (const code of CODES) {
    const [en, de] = [alertTextIn("en", code), alertTextIn("de", code)];
    for (const { says, matters, next } of [en, de]) {
      for (const text of [says, next]) assert.match(text, /^(?:[`A-ZÄÖÜ]|docs\/).{15,}\.$/, code);
      assert.match(matters, code in notices ? /^$/ : /^[A-ZÄÖÜ].*\.$/, code);
    }
    assert.notEqual(de.says, en.says);
    assert.equal(de.severity, en.severity);
    assert.deepEqual(literalsOf(`${de.says} ${de.next}`), literalsOf(`${en.says} ${en.next}`), code);
  }
  assert.ok(!isAlertCode("toString"));
});

test("a frame has every word in both languages", () => {
  const shown = (word: unknown): string => (typeof word === "function" ? String(word) : JSON.stringify(word));
  const german = new Map<string, unknown>(Object.entries(alertFrames.de));
  for (const [name, word] of Object.entries(alertFrames.en))
    if (name !== "server") assert.notEqual(shown(german.get(name)), shown(word), name);
});

test("no two rules over events belong to one condition", () => {
  const codes = eventRules.map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
});

test("a spike is a high number, and far above the average", () => {
  const limits = { minimum: 1_000, factor: 5 };
  assert.equal(isSpike(999, 0, limits), false);
  assert.equal(isSpike(1_000, 0, limits), true);
  assert.equal(isSpike(1_000, 201, limits), false);
  assert.equal(isSpike(1_005, 201, limits), true);
});

test("a critical alert makes the server's status critical, unless it is about an account", () => {
  for (const code of ["component_down", "disk_nearly_full"] as const) assert.ok(isServerIll(code), code);
  for (const code of ["password_guessed", "right_password_refused", "failed_logins", "greylist_silent"] as const)
    assert.ok(!isServerIll(code), code);
});

test("an alert of a day ends by time from 23 hours on, and earlier by the owner's decision", () => {
  const ends = [DAY_MS - HOUR_MS - 1, DAY_MS - HOUR_MS].map((ms) => endedByTime("password_guessed", ms));
  assert.deepEqual(ends, [false, true]);
});

test("an owner's changes through the web are warnings, and critical only from a new network", () => {
  for (const code of ["web_token", "web_account", "web_settings", "web_factor", "web_passkey"] as const)
    assert.equal(alertText(code).severity, "warning", code);
  assert.equal(alertText("web_new_network").severity, "critical");
});

test("a notice is a warning unless it says otherwise", () => {
  const codes = ["keeper_unreachable", "greylist_silent", "connections_uncounted"] as const;
  const severities = codes.map((code) => alertText(code).severity);
  assert.deepEqual(severities, ["critical", "warning", "info"]);
});
