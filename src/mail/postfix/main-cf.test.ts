import assert from "node:assert/strict";
import { test } from "node:test";
import { assignments, sampleSite } from "../../../test/kit/sample-site.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { renderPostfixMain } from "./main-cf.ts";

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

test("mail is refused while there is still room for ten of the largest", () => {
  assert.equal(main.get("queue_minfree"), "104857600");
  const small = assignments(renderPostfixMain(sampleSite({ messageSizeBytes: 65_536 })));
  assert.equal(small.get("queue_minfree"), "655360");
});

test("no client relays through port 25, not even from loopback", () => {
  assert.equal(main.get("smtpd_relay_restrictions"), "reject_unauth_destination");
  assert.equal(main.get("smtpd_sasl_auth_enable"), "no");
  // The sender name of this machine's own programs does not affect relaying.
  const lists = [...main].filter(([name]) => name.endsWith("_restrictions") && name !== "smtpd_sender_restrictions");
  for (const [name, value] of lists) assert.doesNotMatch(value, /permit/, name);
});

test("the guard is asked at connection, recipient, data and end of message, by one text", () => {
  const stages = ["client", "recipient", "data", "end_of_data"];
  for (const stage of stages) assert.match(main.get(`smtpd_${stage}_restrictions`) ?? "", /\$ghostinbox_guard/, stage);
  const asking = [...main].filter(([, value]) => value.includes("check_policy_service"));
  assert.deepEqual(
    asking.map(([name]) => name),
    ["ghostinbox_guard", "ghostinbox_quota", "ghostinbox_postgrey"],
  );
  assert.doesNotMatch(main.get("ghostinbox_guard") ?? "", /default_action/);
  assert.match(main.get("smtpd_policy_service_default_action") ?? "", /^421 /, "without an answer no one gets in");
  assert.equal(main.get("smtpd_delay_reject"), "no");
});

test("the guard sees every connection and every recipient, unknown ones too; the rest holds without it", () => {
  assert.match(
    main.get("smtpd_client_restrictions") ?? "",
    /^check_client_access inline:\{ \{ 127\.71\.9\.25 = OK \} \}, \$ghostinbox_guard, reject_unauth_pipelining$/,
  );
  const recipient = main.get("smtpd_recipient_restrictions") ?? "";
  assert.ok(recipient.indexOf("$ghostinbox_guard") < recipient.indexOf("reject_unlisted_recipient"));
});

test("Dovecot is asked about the mailbox last, only about one that exists, and never delays mail for long", () => {
  assert.match(main.get("smtpd_recipient_restrictions") ?? "", /, reject_unlisted_recipient, \$ghostinbox_quota$/);
  const asking = main.get("ghostinbox_quota") ?? "";
  assert.match(asking, /unix:private\/quota-status, timeout=2s, try_limit=1, default_action=DUNNO/);
});

test("strangers say who they are, and from a domain that exists", () => {
  assert.equal(main.get("smtpd_helo_required"), "yes");
  assert.match(main.get("smtpd_helo_restrictions") ?? "", /reject_invalid_helo.*reject_non_fqdn_helo/);
  // The guard checks its domain.
  assert.match(
    main.get("smtpd_sender_restrictions") ?? "",
    /^check_client_access inline:\S* .*, reject_non_fqdn_sender$/,
  );
});

test("a message ends with CR LF . CR LF, from whomever it comes", () => {
  assert.equal(main.get("smtpd_forbid_bare_newline"), "normalize");
  assert.equal(main.get("smtpd_forbid_bare_newline_exclusions"), "");
});

test("TLS below 1.2 is spoken nowhere, and no password crosses a line without TLS", () => {
  for (const [name, value] of main)
    if (/_tls_(mandatory_)?protocols$/.test(name)) assert.equal(value, ">=TLSv1.2", name);
  assert.equal(main.get("smtpd_tls_auth_only"), "yes");
});

test("a trickle of bytes extends no time limit, and a busy server takes more than one error", () => {
  assert.equal(main.get("smtpd_per_request_deadline"), "yes");
  for (const name of ["smtpd_hard_error_limit", "smtpd_junk_command_limit"])
    assert.match(main.get(name) ?? "", /^\$\{stress\?\{10\}:\{\d+\}\}$/, name);
});

test("a small machine starts few processes", () => {
  const { limits, outbound } = sampleSite();
  const small = sampleSite({ limits: { ...limits, smtpPlaces: 16 }, outbound: { ...outbound, atOnce: 4 } });
  const few = assignments(renderPostfixMain(small));
  assert.equal(few.get("default_process_limit"), "16");
  assert.equal(few.get("smtpd_client_connection_count_limit"), "8", "no client fills a port");
  assert.equal(few.get("default_destination_concurrency_limit"), "4");
});

test("anvil counts behind the guard, and exempts whom the allow list names", () => {
  const exempt = ["203.0.113.0/24", "2001:db8:1::/48"].map(parsePrefix).filter((one) => one !== null);
  const limits = { ...sampleSite().limits, connectionsAtOnce: 3, mailsPerMinute: 4, exempt };
  const limited = assignments(renderPostfixMain(sampleSite({ limits })));
  assert.equal(limited.get("smtpd_client_connection_count_limit"), "3");
  assert.equal(limited.get("smtpd_client_message_rate_limit"), "4");
  assert.equal(limited.get("smtpd_client_event_limit_exceptions"), "$mynetworks 203.0.113.0/24 [2001:db8:1::]/48");
});

test("only the guard asks Postgrey, and no mail waits while it does not answer", () => {
  assert.equal(main.get("smtpd_restriction_classes"), "greylist, greylist_unknown");
  assert.equal(main.get("greylist"), "$ghostinbox_postgrey");
  assert.equal(main.get("greylist_unknown"), "$ghostinbox_postgrey, permit");
  assert.match(main.get("ghostinbox_postgrey") ?? "", /unix:postgrey\/socket, .*default_action=DUNNO/);
  for (const [name, value] of main) if (name.endsWith("_restrictions")) assert.doesNotMatch(value, /greylist/, name);
});
