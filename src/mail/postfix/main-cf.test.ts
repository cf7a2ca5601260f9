import assert from "node:assert/strict";
import { test } from "node:test";
import { assignments, RELAY, sampleSite } from "../../../test/kit/sample-site.ts";
import { accountName, net } from "../../../test/kit/samples.ts";
import { accountsFor, START, scalarOf } from "../../../test/kit/test-database.ts";
import { NETWORKS } from "../../store/accounts-db/account-networks.ts";
import { sqliteAccounts } from "../../store/accounts-db/accounts.ts";
import type { Relay, Site } from "../configuration/site.ts";
import { postfixOutbound, renderPostfixMain, renderPostfixTables, TABLES } from "./main-cf.ts";
import { renderPostfixMaster } from "./master-cf.ts";

const mainOf = (changes: Partial<Site> = {}) => assignments(renderPostfixMain(sampleSite(changes)));
const main = mainOf();
const valueOf = (name: string): string => main.get(name) ?? assert.fail(name);

test("settings reach their parameters", () => {
  assert.equal(main.get("notify_classes"), "", "strangers' text would be in its notices");
  assert.equal(main.get("inet_protocols"), "all");
  assert.equal(mainOf({ ipv6: false }).get("inet_protocols"), "ipv4");
  assert.equal(main.get("lmtp_line_length_limit"), "0", "mail is stored with its lines as they came");
  assert.equal(main.get("enable_long_queue_ids"), "yes", "an id stays with its mail, wherever a restore puts it");
  assert.equal(main.get("maximal_queue_lifetime"), "432000s");
  assert.equal(main.get("bounce_queue_lifetime"), "86400s");
  assert.equal(main.get("delay_warning_time"), "14400s");
  assert.equal(main.get("smtp_address_preference"), "ipv4", "an IPv6 address without PTR is not used first");
});

/** As Postfix's regexp table does: the first rule that matches replaces the whole line. */
function filtered(line: string, filter = "smtpd_command_filter"): string {
  const rules = valueOf(filter)
    .replaceAll("$$", "$")
    .matchAll(/\{ (!?)\/(.+?)\/ (.+?) \}/g);
  for (const [, isInverted, pattern = "", result = ""] of rules) {
    const found = new RegExp(pattern.replaceAll("[:space:]", "\\s"), "i").exec(line);
    if ((found === null) === (isInverted === "!"))
      // To Postfix `$1unknown` is not `$1`, and it skips the rule.
      return result.replaceAll(/\$\{?(\w+)\}?/g, (_, nth: string) => found?.[Number(nth)] ?? "");
  }
  return line;
}

test("postmaster without a domain gets ours before it is checked", () => {
  assert.equal(filtered("rcpt to:<PostMaster> NOTIFY=NEVER"), "rcpt to:<PostMaster@example.org> NOTIFY=NEVER");
  assert.equal(filtered('RCPT TO: <"post\\master">'), 'RCPT TO: <"post\\master"@example.org>');
  assert.equal(filtered("RCPT TO:<@else.example:postmaster>"), "RCPT TO:<postmaster@example.org>");
});

test("addresses are those of RFC 5321, without a source route", () => {
  for (const line of [
    "RCPT TO:<postmaster@example.net>",
    "RCPT TO:<ann>",
    'rcpt to:  <"ann \\"x\\" y"@example.org> ORCPT=rfc822;ann',
    "MAIL FROM:<>",
    "MAIL FROM:<> SIZE=10 BODY=8BITMIME",
    "MAIL FROM:<prvs=1/a_b'c+d=e..f@mx_1.example.org> SIZE=10",
    "MAIL FROM:<j\u{f6}rg@[IPv6:2001:db8::1]>",
    "EHLO mail.example.org",
    "STARTTLS",
    "rset",
    "AUTH PLAIN AGFu",
    "MTIzNDU2",
    "RGllIDEyMzQ=",
    "MAILx",
    "RC",
    "",
  ])
    assert.equal(filtered(line), line);
  assert.equal(filtered("MAIL FROM:<@a.example,@b.example:ann@c.example> SIZE=1"), "MAIL FROM:<ann@c.example> SIZE=1");
  for (const address of [
    "< postmaster>",
    "<postmaster >",
    "<<postmaster>>",
    "<postmaster(here)>",
    "<postmaster@>",
    "<ann@example.net.>",
    "<ann@b@example.net>",
    "<ann@example.net>postmaster<x>",
    "<postmaster>postmaster<x>",
    "<postmaster\\>",
    "<post\\master>",
    '<"x>: User unknown; z"@example.net>',
    '<"x\\>: User unknown; z"@example.net>',
    '<"x) ; dmarc=pass ("@example.net>',
    '<"x\\) dmarc=pass \\("@example.net>',
    '<"x; dmarc=pass"@example.net>',
    "ann@example.net",
  ]) {
    assert.equal(filtered(`RCPT TO:${address}`), "RCPT", address);
    assert.equal(filtered(`mail from:${address}`), "MAIL", address);
  }
  for (const line of ["\fRCPT TO:<postmaster>", "R\\CPT TO:<postmaster>", '"RCPT" TO:<postmaster>'])
    assert.equal(filtered(line), "UNKNOWN:");
  assert.equal(filtered("helo x>: User unknown"), "helo unknown");
});

test("no restriction permits a client, not even from loopback; mail for a domain that left the settings waits", () => {
  for (const [name, value] of main) if (name.endsWith("_restrictions")) assert.doesNotMatch(value, /permit/, name);
  assert.match(valueOf("smtpd_relay_restrictions"), /^check_recipient_access \S+\/left-domain\.cf, /);
  const sent = (status: string) => filtered(status, "smtp_delivery_status_filter");
  const loop = "mail for left.test loops back to myself";
  assert.equal(sent(`5.4.6 ${loop}`), "left.test", "which the next table gets");
  assert.match(valueOf("smtp_delivery_status_filter"), /^pipemap:\{ .* \}, proxy:sqlite:\S+\/left-loop\.cf \}$/);
  for (const other of [`5.1.1 ${loop}`, "5.4.6 host mx.test said: loop"]) assert.equal(sent(other), other);
});

test("the guard is asked at connection, recipient, data and end of message, with one text", () => {
  const stages = ["client", "recipient", "data", "end_of_data"];
  for (const stage of stages) assert.match(valueOf(`smtpd_${stage}_restrictions`), /\$ghostinbox_guard/, stage);
  const asking = [...main].flatMap(([name, value]) => (value.includes("check_policy_service") ? [name] : []));
  assert.deepEqual(asking, ["ghostinbox_guard", "ghostinbox_quota", "ghostinbox_postgrey"]);
  assert.doesNotMatch(valueOf("ghostinbox_guard"), /default_action/);
  assert.match(valueOf("smtpd_policy_service_default_action"), /^421 /, "without an answer no one gets in");
  assert.equal(main.get("smtpd_delay_reject"), "no");
});

test("a server without any mailbox answers before the guard, which would refuse each recipient for good", () => {
  const asked = valueOf("smtpd_recipient_restrictions");
  assert.match(asked, /, check_recipient_access proxy:sqlite:\$config_directory\/no-mailbox\.cf, \$ghostinbox_guard,/);
});

test("Dovecot is asked about the mailbox last, only about one that exists, and never delays mail for long", () => {
  assert.match(valueOf("smtpd_recipient_restrictions"), /, reject_unlisted_recipient, \$ghostinbox_quota$/);
  const asking = valueOf("ghostinbox_quota");
  assert.match(asking, /unix:private\/quota-status, timeout=2s, try_limit=1, default_action=DUNNO/);
});

test("the server's own probe sends nothing", () => {
  const sender = valueOf("smtpd_sender_restrictions");
  assert.match(sender, /^check_client_access inline:\{ \{ 127\.71\.9\.25 = REJECT \} \}, /);
  const ofUsers = / smtpd_sender_restrictions = check_client_access inline:\{ \{ 127\.71\.9\.25 = REJECT \} \}, /g;
  assert.equal(renderPostfixMaster(sampleSite()).match(ofUsers)?.length, 2);
});

test("TLS below 1.2 is never used, and no password is sent without TLS", () => {
  for (const [name, value] of main)
    if (/_tls_(mandatory_)?protocols$/.test(name)) assert.equal(value, ">=TLSv1.2", name);
  assert.equal(main.get("smtpd_tls_auth_only"), "yes");
});

test("a trickle of bytes extends no time limit, and a busy server takes more than one error", () => {
  assert.equal(main.get("smtpd_per_request_deadline"), "yes");
  for (const name of ["smtpd_hard_error_limit", "smtpd_junk_command_limit"])
    assert.match(valueOf(name), /^\$\{stress\?\{10\}:\{\d+\}\}$/, name);
});

test("a small machine starts few processes", () => {
  const { limits, outbound } = sampleSite();
  const few = mainOf({ limits: { ...limits, smtpPlaces: 16 }, outbound: { ...outbound, atOnce: 4 } });
  assert.equal(few.get("default_process_limit"), "16");
  assert.equal(few.get("smtpd_client_connection_count_limit"), "8", "no client fills a port");
  assert.equal(few.get("default_destination_concurrency_limit"), "4");
});

test("a slow or broken mailbox delays mail for no other", () => {
  const deliveryOf = (atOnce: number) => {
    const site = sampleSite({ outbound: { ...sampleSite().outbound, atOnce } });
    const lmtp = /^lmtp unix - - n - (\d+) lmtp$/m.exec(renderPostfixMaster(site))?.[1];
    return [mainOf({ outbound: site.outbound }).get("lmtp_destination_concurrency_limit"), lmtp];
  };
  assert.equal(main.get("lmtp_destination_recipient_limit"), "1", "each mailbox is a destination");
  assert.deepEqual([20, 4, 1, 1_000].map(deliveryOf), [
    ["5", "20"],
    ["1", "4"],
    ["1", "1"],
    ["250", String(sampleSite().limits.smtpPlaces)],
  ]);
});

test("slow servers that strangers or a user choose hold no process that sends what others write", () => {
  const lanes = String.raw`regexp:{ { /^<>$$/ reports: } { !/@(example\.org|example\.net)$$/ forwards: } }`;
  assert.equal(valueOf("sender_dependent_default_transport_maps"), `${lanes}, proxy:sqlite:$config_directory/lanes.cf`);
  assert.equal(main.get("smtp_per_request_deadline"), "yes");
  const { limits, outbound } = sampleSite();
  const few = sampleSite({ limits: { ...limits, smtpPlaces: 20 }, outbound: { ...outbound, atOnce: 4 } });
  const most = (site: Site) => assignments(renderPostfixMain(site)).get("forwards_destination_concurrency_limit");
  assert.deepEqual([most(sampleSite()), most(few)], ["5", "1"], "one user's ten forwards hold half of the processes");
  const five =
    /^users15 unix - - y - 5 smtp\nshared unix - - y - 5 smtp\nreports unix - - y - 5 smtp\n {2}-o smtp_helo_timeout=60s$/m;
  const patient =
    /^forwards unix - - y - - smtp\n(?: {2}-o smtp_\w+_timeout=60s\n){6} {2}-o smtp_data_done_timeout=300s$/m;
  for (const lane of [five, patient]) assert.match(renderPostfixMaster(few), lane);
});

test("mail from any address of a user leaves through the service of the account, unless several may write as it", (t) => {
  const db = accountsFor(t);
  const accounts = sqliteAccounts(db);
  for (const name of ["anna", "bert", "zoe"])
    accounts.add(accountName(`${name}@example.org`), "{BLF-CRYPT}$2y$05$x", START);
  const insert = db.prepare("INSERT INTO alias VALUES (? || '@example.org', ? || '@example.org')");
  for (const alias of ["team anna", "team bert", "yes anna", "! zoe"]) insert.run(...alias.split(" "));
  NETWORKS.store(db).serve({ domains: ["example.org"], administrator: null, refused: [], networks: [] });
  const lane = (name: string) =>
    scalarOf(db, TABLES.lanes.query.replace("%%", "%").replace("'%s'", "?"), `${name}@example.org`);
  const names = ["Anna", "yes", "postmaster", "bert", "zoe", "!", "team", "nobody"];
  const [users0, users1, users2] = ["users0:", "users1:", "users2:"];
  assert.deepEqual(names.map(lane), [users0, users0, users0, users1, users2, users2, "shared:", undefined]);
});

test("anvil counts behind the guard, and exempts the allow list", () => {
  const exempt = ["203.0.113.0/24", "2001:db8:1::/48"].map(net);
  const limits = { ...sampleSite().limits, connectionsAtOnce: 3, mailsPerMinute: 4, exempt };
  const limited = mainOf({ limits });
  assert.equal(limited.get("smtpd_client_connection_count_limit"), "3");
  assert.equal(limited.get("smtpd_client_message_rate_limit"), "4");
  assert.equal(limited.get("smtpd_client_event_limit_exceptions"), "$mynetworks 203.0.113.0/24 [2001:db8:1::]/48");
  const named =
    "check_client_access cidr:{ { 203.0.113.0/24 OK } { 2001:db8:1::/48 OK } }, reject_invalid_helo_hostname, ";
  assert.ok(limited.get("smtpd_helo_restrictions")?.includes(named), "whose devices may have bare names");
});

test("each table asks its view, and only about our domains", () => {
  const tables = new Map(renderPostfixTables(sampleSite()).map(({ name, text }) => [name, assignments(text)]));
  const names = "mailboxes aliases no-mailbox left-domain left-loop senders lanes";
  assert.equal([...tables.keys()].join(" ").replaceAll(".cf", ""), names);
  for (const [name, table] of tables) {
    assert.equal(table.get("dbpath"), "/srv/mail/db/accounts/accounts.db");
    assert.equal(table.get("domain"), name.startsWith("left-") ? undefined : "example.org example.net", name);
  }
  assert.match(tables.get("left-domain.cf")?.get("query") ?? "", / NOT IN \('example\.org', 'example\.net'\)/);
  assert.equal(tables.get("aliases.cf")?.get("query"), "SELECT targets FROM alias_map WHERE address = '%s'");
});

test("while the server is isolated, mail in both directions waits, and is not returned because of its age", () => {
  const { outbound } = sampleSite();
  const isolated = mainOf({ isolated: ["receive", "sign-in", "send"], outbound: { ...outbound, relay: RELAY } });
  for (const name of ["virtual_transport", "default_transport", "relay_transport"])
    assert.equal(isolated.get(name), "lmtp:unix:private/this-server-is-isolated", name);
  for (const name of ["maximal_queue_lifetime", "bounce_queue_lifetime"]) assert.equal(isolated.get(name), "100d");
  assert.equal(isolated.get("delay_warning_time"), "0");
  assert.equal(isolated.get("relayhost"), "");
});

const through = (changes: Partial<Relay>) =>
  sampleSite({ outbound: { ...sampleSite().outbound, relay: { ...RELAY, ...changes } } });

test("a relay without a login gets mail over TLS if it offers TLS, and always on port 465", () => {
  const open = postfixOutbound(through({}));
  assert.deepEqual([open["smtp_tls_security_level"], open["smtp_sasl_auth_enable"]], ["may", undefined]);
  const wrapped = postfixOutbound(through({ nextHop: "[smtp.example.net]:465" }));
  assert.deepEqual([wrapped["smtp_tls_wrappermode"], wrapped["smtp_tls_security_level"]], ["yes", "encrypt"]);
});
