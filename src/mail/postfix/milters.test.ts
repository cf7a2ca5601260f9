import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { postfixMilters, renderHeaderChecks, SUBMISSION_MILTERS } from "./milters.ts";

const spam = sampleSite().spam;

test("a stranger's mail is counted, then verified, then scored; a user's is counted and signed", () => {
  const main = postfixMilters(sampleSite());
  assert.equal(main["smtpd_milters"], "$ghostinbox_counts, $ghostinbox_rspamd, $ghostinbox_spam");
  assert.equal(main["smtpd_milter_maps"], "inline:{ { 127.71.9.25 = DISABLE } }");
  assert.equal(SUBMISSION_MILTERS, "smtpd_milters=$ghostinbox_counts,$ghostinbox_rspamd");
  const without = postfixMilters(sampleSite({ spam: { ...spam, runs: false } }));
  assert.equal(without["smtpd_milters"], "$ghostinbox_counts, $ghostinbox_rspamd");
  const trusting = postfixMilters(sampleSite({ verify: false }));
  assert.equal(trusting["smtpd_milters"], "$ghostinbox_counts, $ghostinbox_spam");
  assert.ok("ghostinbox_rspamd" in trusting);
});

test("mail waits for its score for a limited time", () => {
  const times = "connect_timeout=2s, command_timeout=5s, content_timeout=20s, default_action=accept";
  assert.equal(postfixMilters(sampleSite())["ghostinbox_spam"], `{ unix:spam/milter, ${times} }`);
});

test("a mail waits for the guard's count and for a busy Rspamd longer than the keeper does for one that hangs", () => {
  const { ghostinbox_counts: counts = "", ghostinbox_rspamd: rspamd = "" } = postfixMilters(sampleSite());
  const waits = Array.from(counts.matchAll(/(?:command|content)_timeout=(\d+)s/g), ([, seconds]) => Number(seconds));
  // Three checks of the keeper without an answer, three seconds each, one second apart.
  assert.ok(waits.length === 2 && Math.min(...waits) > 12, counts);
  // Six checks without an answer within 30 s (core/alerts/probe-record.ts), five seconds apart, three seconds each.
  assert.ok(Number(/content_timeout=(\d+)s/.exec(rspamd)?.[1]) > 45, rspamd);
});

test("headers that only this server may write are removed, but not from attachments", () => {
  const names = renderHeaderChecks()[0]?.text ?? "";
  for (const name of ["Authentication-Results", "Received-SPF", "X-Spam-"])
    assert.match(names, new RegExp(`^/\\^${name}`, "m"));
  const [crowd = ""] = names.match(/^.*Crowd.*$/m) ?? [];
  assert.equal(crowd, "/^X-GhostInbox-Crowd: one of many first mails$/ DUNNO");
  assert.ok(names.indexOf(crowd) < names.indexOf("IGNORE"), "the guard's own header stays");
  const main = postfixMilters(sampleSite());
  assert.equal(main["mime_header_checks"], "");
  assert.equal(main["nested_header_checks"], "");
});
