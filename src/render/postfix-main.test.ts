import assert from "node:assert/strict";
import { test } from "node:test";
import { renderPostfixMain } from "./postfix-main.ts";
import { assignments, sampleSite } from "./sample-site.ts";

const main = assignments(renderPostfixMain(sampleSite()));

test("settings reach their parameters", () => {
  assert.equal(main.get("myhostname"), "mail.example.org");
  assert.equal(main.get("myorigin"), "example.org");
  assert.equal(main.get("virtual_mailbox_domains"), "example.org example.net");
  assert.equal(main.get("message_size_limit"), "10485760");
  assert.equal(main.get("inet_protocols"), "all");
  const v4 = assignments(renderPostfixMain(sampleSite({ ipv6: false })));
  assert.equal(v4.get("inet_protocols"), "ipv4");
});

test("nobody relays through port 25, loopback included", () => {
  assert.equal(main.get("smtpd_relay_restrictions"), "reject_unauth_destination");
  assert.equal(main.get("smtpd_sasl_auth_enable"), "no");
  for (const [name, value] of main) if (name.endsWith("_restrictions")) assert.doesNotMatch(value, /permit/, name);
});

test("the guard is asked at connection, recipient, data and end of message, by one text", () => {
  const stages = ["client", "recipient", "data", "end_of_data"];
  for (const stage of stages) assert.match(main.get(`smtpd_${stage}_restrictions`) ?? "", /\$ghostinbox_guard$/, stage);
  const asking = [...main].filter(([, value]) => value.includes("check_policy_service"));
  assert.deepEqual(
    asking.map(([name]) => name),
    ["ghostinbox_guard"],
  );
  assert.match(main.get("ghostinbox_guard") ?? "", /default_action=DUNNO/);
  assert.equal(main.get("smtpd_delay_reject"), "no");
});

test("static refusals stand before the guard, so that they hold without it", () => {
  const recipient = main.get("smtpd_recipient_restrictions") ?? "";
  assert.ok(recipient.indexOf("reject_unlisted_recipient") < recipient.indexOf("$ghostinbox_guard"));
});

test("TLS below 1.2 is spoken nowhere, and no password crosses a line without TLS", () => {
  for (const [name, value] of main)
    if (/_tls_(mandatory_)?protocols$/.test(name)) assert.equal(value, ">=TLSv1.2", name);
  assert.equal(main.get("smtpd_tls_auth_only"), "yes");
});
