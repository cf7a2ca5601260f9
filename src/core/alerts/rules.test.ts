import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_FIELDS } from "../../../test/kit/alert-windows-kit.ts";
import { NOON } from "../../../test/kit/samples.ts";
import { type AlertEvent, eventRules } from "./rules.ts";

function rulesFor(event: Partial<AlertEvent>): readonly string[] {
  return eventRules
    .filter(({ matches }) => matches({ ...NO_FIELDS, id: 1, at: NOON, type: "CONNECT", ...event }))
    .map(({ code }) => code);
}

test("only mail that was marked, or refused before it was scored, counts as spam", () => {
  assert.deepEqual(rulesFor({ type: "SPAM_SCORED", verdict: "mark" }), ["spam_volume"]);
  assert.deepEqual(rulesFor({ type: "SPAM_SCORED", verdict: "pass" }), []);
  for (const reason of ["dmarc_refused", "block_listed"])
    assert.deepEqual(rulesFor({ type: "EMAIL_BLOCKED", reason }), ["spam_volume"]);
  assert.deepEqual(rulesFor({ type: "EMAIL_BLOCKED", reason: "spam_refused" }), [], "its score is counted");
  assert.deepEqual(rulesFor({ type: "EMAIL_BLOCKED", reason: "recipient_unknown" }), []);
  assert.deepEqual(rulesFor({ type: "EMAIL_ACCEPTED", verdict: "mark", reason: "dmarc_refused" }), []);
});

test("a ban counts as one of many unless it was made by hand, and as repeated from the second offence on", () => {
  const bans = (offence: number | null, reason = "mail_limit") => rulesFor({ type: "BAN", offence, reason });
  assert.deepEqual(bans(1), ["many_bans"]);
  assert.deepEqual(bans(2), ["many_bans", "repeated_violations"]);
  assert.deepEqual(bans(null, "manual"), []);
  assert.deepEqual(rulesFor({ type: "UNBAN", offence: 2 }), []);
});

test("a failed sign-in counts for mail or for the dashboard, unless it says nothing about guessing", () => {
  assert.deepEqual(rulesFor({ type: "LOGIN_FAILED", service: "imap" }), ["failed_logins"]);
  assert.deepEqual(rulesFor({ type: "LOGIN_FAILED", service: "dashboard" }), ["dashboard_logins"]);
  for (const service of ["imap", "dashboard"])
    assert.deepEqual(rulesFor({ type: "LOGIN_FAILED", service, isCounted: false }), []);
  const user = { account: "anna@example.org", service: "dashboard" };
  assert.deepEqual(rulesFor({ type: "LOGIN_FAILED", ...user }), ["failed_logins"]);
  assert.deepEqual(rulesFor({ type: "LOGIN_REFUSED", reason: "account_guarded" }), ["failed_logins"]);
  assert.deepEqual(rulesFor({ type: "LOGIN_REFUSED", reason: "spraying" }), ["failed_logins", "spraying"]);
  for (const reason of ["banned", "outside_networks"] as const)
    assert.deepEqual(rulesFor({ type: "LOGIN_REFUSED", reason }), []);
  assert.deepEqual(rulesFor({ type: "LOGIN_SUCCEEDED" }), []);
});

test("connections count whether they were accepted, deferred or refused", () => {
  for (const type of ["CONNECT", "CONNECT_DEFERRED", "CONNECT_REFUSED"] as const)
    assert.deepEqual(rulesFor({ type }), ["unusual_connections"]);
});
