import assert from "node:assert/strict";
import { test } from "node:test";
import { postfixMilters, renderForgedHeaders, SUBMISSION_MILTERS } from "./milters.ts";
import { sampleSite } from "./sample-site.ts";

const spam = sampleSite().spam;

test("a stranger's mail is verified before it is scored; a user's is signed only", () => {
  const main = postfixMilters(sampleSite());
  assert.equal(main["smtpd_milters"], "$ghostinbox_dkim, $ghostinbox_dmarc, $ghostinbox_spam");
  assert.equal(SUBMISSION_MILTERS, "smtpd_milters=$ghostinbox_dkim");
  const without = postfixMilters(sampleSite({ spam: { ...spam, enabled: false } }));
  assert.equal(without["smtpd_milters"], "$ghostinbox_dkim, $ghostinbox_dmarc");
});

test("a milter that is gone lets mail pass, but for the filter of an owner who wants it to wait", () => {
  const waiting = postfixMilters(sampleSite({ spam: { ...spam, onFailure: "wait" } }));
  for (const [name, value] of Object.entries(waiting).filter(([key]) => key.startsWith("ghostinbox_")))
    assert.match(value, name === "ghostinbox_spam" ? /default_action=tempfail/ : /default_action=accept/, name);
  const passing = postfixMilters(sampleSite())["ghostinbox_spam"] ?? "";
  assert.equal(
    passing,
    "{ unix:spam/milter, connect_timeout=2s, command_timeout=5s, content_timeout=20s, default_action=accept }",
  );
});

test("headers that a stranger may not write go; those of what is attached stay", () => {
  const names = renderForgedHeaders().text;
  for (const name of ["Authentication-Results", "Received-SPF", "X-Spam-"])
    assert.match(names, new RegExp(`^/\\^${name}`, "m"));
  const main = postfixMilters(sampleSite());
  assert.equal(main["mime_header_checks"], "");
  assert.equal(main["nested_header_checks"], "");
});
