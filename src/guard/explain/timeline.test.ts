import assert from "node:assert/strict";
import { test } from "node:test";
import { eventItem } from "../../../test/kit/samples.ts";
import type { EventItem } from "../../admin/declare/items.ts";
import { EVENT_TYPES } from "../../core/events/event-types.ts";
import { reasons } from "../../core/events/reasons.ts";
import { isSettingKey } from "../../settings/schema.ts";
import { timelineOf } from "./timeline.ts";

const EVIDENCE = { reason: "login_failures", count: 5, limit: 5, windowMs: 600_000 };
const event = eventItem("LOGIN_FAILED", { id: 2, service: "imap", ...EVIDENCE, action: "refused" });

test("a step has its source, evidence and meaning, how to lift it and how to prevent it", () => {
  const [first, second] = timelineOf([event, { ...event, id: 1, type: "CONNECT", reason: "below_limit", count: null }]);
  assert.equal(first?.id, 1, "oldest first");
  assert.deepEqual([first.source, first.evidence, first.lift, first.settings], ["smtp", "", null, []]);
  assert.equal(second?.source, "login");
  assert.equal(second.evidence, "5 within 10m, limit 5");
  assert.equal(second.meaning, reasons.login_failures.says);
  assert.equal(second.lift, reasons.login_failures.next);
  assert.deepEqual(second.settings, ["limits.logins.failures"]);
});

test("every type has a source, and every type and reason has a sentence", () => {
  const sources = EVENT_TYPES.map((type) => timelineOf([{ ...event, type }])[0]?.source);
  assert.ok(!sources.includes(undefined));
  for (const reason of [...Object.keys(reasons), "one_of_a_newer_version", null]) {
    const [step] = timelineOf([{ ...event, reason }]);
    assert.notEqual(step?.meaning ?? "", "", String(reason));
    for (const key of step?.settings ?? []) assert.ok(isSettingKey(key), key);
  }
});

test("the setting is the recorded one, or all that apply to the reason", () => {
  const settings = (limitKey: string | null, reason = "mail_limit") =>
    timelineOf([{ ...event, type: "EMAIL_BLOCKED", reason, limitKey }])[0]?.settings;
  assert.deepEqual(settings("limits.mail.per_hour"), ["limits.mail.per_hour"]);
  assert.deepEqual(settings(null, "filter_deferred"), ["dkim.verify", "spam.on_failure"]);
  for (const none of [null, "limits.of_a_newer_version"])
    assert.deepEqual(settings(none), ["limits.mail.per_minute", "limits.mail.per_hour", "limits.mail.per_day"]);
  const rates = [...(settings(null) ?? []), "limits.connections.per_minute", "limits.connections.per_hour"];
  assert.deepEqual(settings(null, "known_address"), [...rates, "limits.logins.failures"]);
  for (const busy of ["provider_busy", "wanted_busy"])
    assert.deepEqual(settings(null, busy), [...rates, "limits.recipients.unknown_per_hour"]);
});

test("each type of event has the part of the server that reports it", () => {
  const of = (type: string, service: string | null = null, verdict: string | null = null) =>
    timelineOf([{ ...event, type, service, verdict }])[0]?.source;
  for (const type of ["TLS_FAILED", "SESSION_FAULT"])
    assert.deepEqual([of(type, "imap"), of(type, "smtp")], ["login", "smtp"]);
  const types = ["EMAIL_ACCEPTED", "EMAIL_DELIVERED", "SPAM_SCORED", "JAIL_REPORTED", "BAN", "TOKEN_CREATED"];
  const sources = types.map((type) => of(type));
  assert.deepEqual(sources, ["smtp", "delivery", "spam", "fail2ban", "firewall", "administrator"]);
  assert.deepEqual([of("SPARED", null, "pass"), of("SPARED")], ["fail2ban", "firewall"]);
  assert.equal(of("LOGIN_REFUSED", "dashboard"), "web");
  const byDetector = timelineOf([{ ...event, type: "JAIL_REPORTED", reason: "intrusion_report" }]);
  assert.equal(byDetector[0]?.source, "detector");
});

test("evidence is complete or absent; a step that needs no action has nothing that lifts it", () => {
  for (const missing of [{ count: null }, { limit: null }, { windowMs: null }])
    assert.equal(timelineOf([{ ...event, ...missing }])[0]?.evidence, "");
  const [unknown] = timelineOf([{ ...event, reason: "one_of_a_newer_version" }]);
  assert.deepEqual([unknown?.meaning, unknown?.lift, unknown?.settings], ["refused", null, []]);
  assert.equal(timelineOf([{ ...event, reason: "expired" }])[0]?.lift, null);
});

const at = (time: string, id: number, type: EventItem["type"] = "GREYLIST_ASKED"): EventItem =>
  eventItem(type, {
    id,
    at: `2026-11-20T10:${time}.000Z`,
    ip: "203.0.113.7",
    sender: "eve@sender.test",
    recipient: "anna@example.org",
    reason: type === "GREYLIST_ASKED" ? "greylist_asked" : "below_limit",
  });

test("a greylisted mail shows when it was retried, and proposes nothing", () => {
  const others = [at("02:10", 2, "EMAIL_DEFERRED"), { ...at("02:11", 3, "EMAIL"), recipient: "bert@example.org" }];
  const steps = timelineOf([at("02:00", 1), ...others, at("17:10", 4), at("17:11", 5, "EMAIL")]);
  const [first, second, mail] = [steps[0], steps[3], steps[4]];
  assert.match(first?.meaning ?? "", /it was deferred, and retried after 15 min\.$/);
  assert.equal(first?.lift, null);
  assert.equal(second?.meaning, reasons.greylist_asked.says);
  assert.equal(mail?.meaning, reasons.below_limit.says);
});

test("only a try at least twenty seconds later is a retry", () => {
  const again = (time: string) => timelineOf([at("02:00", 1), at(time, 2), at(time, 3, "EMAIL")])[0]?.meaning ?? "";
  assert.match(again("02:20"), /retried after 20 s\.$/);
  assert.equal(again("02:19"), reasons.greylist_asked.says);
});

test("a mail that Postgrey accepted was not deferred, whatever its sender writes later", () => {
  for (const recipient of ["anna@example.org", null]) {
    const later = [at("50:00", 3), at("50:01", 4, "EMAIL")];
    const [first] = timelineOf([at("02:00", 1), { ...at("02:01", 2, "EMAIL"), recipient }, ...later]);
    assert.equal(first?.meaning, reasons.greylist_asked.says);
  }
});
