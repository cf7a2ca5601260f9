import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { headerActions } from "../../../test/kit/postmap.ts";
import { PROXIED_PORTS, sampleSite } from "../../../test/kit/sample-site.ts";
import { net } from "../../../test/kit/samples.ts";
import { LANES, shortOnly } from "./main-cf.ts";
import { renderChroot, renderPostfixMaster, renderSubmissionHeaders } from "./master-cf.ts";
import { postfixMilters } from "./milters.ts";

/** Services of master.cf with their `-o` lines. */
function services(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let options: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("  -o ")) options.push(line.slice("  -o ".length));
    else if (line !== "" && !line.startsWith("#")) found.set(line.split(" ").slice(0, 2).join(" "), (options = []));
  }
  return found;
}

const ports = { smtp: 2525, submission: 5870, submissions: 4650, imaps: 9930, loginPolicy: 10_025, sieveMail: 26 };
const master = services(renderPostfixMaster(sampleSite({ ports })));

test("each door listens on its port, and nothing else does", () => {
  const doors = [...master.keys()].filter((service) => service.endsWith(" inet"));
  assert.deepEqual(doors, ["2525 inet", "5870 inet", "4650 inet", "127.0.0.1:26 inet"]);
  assert.deepEqual(master.get("2525 inet"), []);
});

test("where Dovecot submits mail, only clients that the guard knows as Dovecot are accepted", () => {
  const options = master.get("127.0.0.1:26 inet") ?? assert.fail();
  for (const option of [
    "ghostinbox_context=sieve",
    "{ smtpd_client_restrictions = reject_unauth_pipelining, $ghostinbox_guard, reject }",
    "smtpd_relay_restrictions=permit_mynetworks,reject",
    "smtpd_client_event_limit_exceptions=",
    "smtpd_client_message_rate_limit=60",
  ])
    assert.ok(options.includes(option), option);
});

for (const [door, context, tls] of [
  ["5870 inet", "submission", "smtpd_tls_security_level=encrypt"],
  ["4650 inet", "submissions", "smtpd_tls_wrappermode=yes"],
] as const)
  test(`${context}: users only, over TLS, under their own addresses`, () => {
    const options = master.get(door) ?? [];
    assert.ok(options.includes(tls));
    assert.ok(options.includes(`ghostinbox_context=${context}`));
    assert.ok(options.includes("smtpd_relay_restrictions=permit_sasl_authenticated,reject"));
    const own = options.find((option) => option.includes("smtpd_sender_restrictions")) ?? "";
    const [probe, first, second, noSender, ...rest] = own
      .replace(/^\{ smtpd_sender_restrictions = (.*) \}$/, "$1")
      .split(", ");
    assert.match(probe ?? "", /^check_client_access inline:\{ \{ 127\.\S+ = REJECT \} \}$/);
    assert.deepEqual([first, second], ["reject_non_fqdn_sender", "reject_authenticated_sender_login_mismatch"]);
    assert.match(noSender ?? "", /^check_sender_access inline:\{ \{ <> = 550 5\.7\.1 /);
    assert.deepEqual(rest, [shortOnly("sender"), "permit_sasl_authenticated", "reject"]);
  });

test("the proxies' copies of the ports trust a header, and accept no client without the guard's answer", () => {
  const proxied = { networks: [net("10.0.0.5")], ports: PROXIED_PORTS };
  const all = services(renderPostfixMaster(sampleSite({ ports, proxied })));
  const own = [
    "smtpd_upstream_proxy_protocol=haproxy",
    "{ smtpd_client_restrictions = $ghostinbox_guard, reject_unauth_pipelining }",
  ];
  for (const [name, door, proxied] of [
    ["smtp", "2525 inet", "325 inet"],
    ["submission", "5870 inet", "387 inet"],
    ["submissions", "4650 inet", "365 inet"],
  ] as const) {
    const added = (all.get(proxied) ?? []).slice(all.get(door)?.length);
    assert.deepEqual(added.toSorted(), [...own, `ghostinbox_context=proxied-${name}`].toSorted(), name);
    assert.deepEqual(all.get(door), master.get(door));
  }
});

test("services that look names up are chrooted, so that they ask our resolver", () => {
  const lines = renderPostfixMaster(sampleSite()).split("\n");
  const asking = lines.filter((line) => / (smtpd|smtp)$/.test(line));
  assert.equal(asking.length, 8 + LANES.length);
  for (const line of asking) assert.equal(line.split(" ")[4], "y", line);
});

test("cleanup has room for the envelope of a mail of just the largest size", () => {
  const lines = renderPostfixMaster(sampleSite({ messageSizeBytes: 65_536 })).split("\n");
  const cleanups = lines.flatMap((line, i) => (line.endsWith(" cleanup") ? [lines[i + 1]] : []));
  assert.equal(cleanups.length, 4);
  for (const next of cleanups) assert.equal(next, `  -o message_size_limit=${65_536 + 1024 * 1024}`);
});

test("mail that root submits is signed, whether or not others' mail is verified", () => {
  assert.ok(master.get("pickup unix")?.includes("cleanup_service_name=cleanup-own"));
  const options = master.get("cleanup-own unix") ?? [];
  assert.ok(options.includes("non_smtpd_milters=$ghostinbox_rspamd_own"));
  assert.ok("ghostinbox_rspamd_own" in postfixMilters(sampleSite({ verify: false })));
});

test("a user's mail without a date gets one", () => {
  assert.ok(master.get("cleanup-submission unix")?.includes("always_add_missing_headers=yes"));
});

test("chrooted programs ask only our resolver", () => {
  const files = new Map(renderChroot(sampleSite()).map(({ name, text }) => [name, text]));
  const servers = (files.get("resolv.conf") ?? "").match(/^nameserver .*$/gm);
  assert.deepEqual(servers, ["nameserver 127.71.9.53"]);
  assert.match(files.get("nsswitch.conf") ?? "", /^hosts: files dns$/m);
  assert.match(files.get("hosts") ?? "", /^127\.0\.0\.1 localhost$/m);
  assert.match(files.get("hosts") ?? "", /^127\.71\.9\.25 probe\.localhost$/m);
  assert.match(files.get("services") ?? "", /^smtp 25\/tcp/m);
});

test("mail that is forwarded loses the tag of the spam filter", { skip: lacking({ installed: ["postmap"] }) }, () => {
  const [checks = ""] = master.get("forwards unix")?.filter((option) => option.includes("smtp_header_checks")) ?? [];
  const [, rule] =
    /= regexp:\$config_directory\/proof-removal, regexp:\{ \{ (.*) \} \} \}$/.exec(checks) ?? assert.fail(checks);
  const actions = (header: string) => headerActions(`${rule?.replaceAll("$$", "$")}\n`, `${header}\n\n`);
  assert.deepEqual(actions("Subject: [SPAM] Your invoice"), ["REPLACE Subject: Your invoice"]);
  for (const header of ["Subject: Your [SPAM] invoice", "X-Subject: [SPAM] x"]) assert.deepEqual(actions(header), []);
});

describe("headers of submitted mail", { skip: lacking({ installed: ["postmap"] }) }, () => {
  const verdicts = (header: string) => headerActions(renderSubmissionHeaders().text, `${header}\n\nbody\n`);

  test("the user's address and mail program are removed", () => {
    for (const header of [
      "User-Agent: Mozilla Thunderbird",
      "X-Mailer: Apple Mail (2.3774)",
      "X-Originating-IP: [198.51.100.7]",
      "x-php-originating-script: 1000:mail.php",
      "Received: from [10.0.0.7] (laptop.lan [10.0.0.7]) by webmail.example.org; Thu, 1 Jan 2026 00:00:00 +0000",
    ])
      assert.deepEqual(verdicts(header), ["IGNORE"], header);
  });

  test("other header fields stay", () => {
    for (const header of ["Subject: X-Mailer: no", "From: <anna@example.org>", "Mime-Version: 1.0", "X-Priority: 1"])
      assert.deepEqual(verdicts(header), [], header);
  });
});
