import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { shortOnly } from "./main-cf.ts";
import { renderPostfixMaster } from "./master-cf.ts";
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

const ports = { smtp: 2525, submission: 5870, submissions: 4650, imaps: 9930, loginPolicy: 10_025, sieveMail: 10_026 };
const master = services(renderPostfixMaster(sampleSite({ ports })));

test("each door listens on its port, and nothing else does", () => {
  const doors = [...master.keys()].filter((service) => service.endsWith(" inet"));
  assert.deepEqual(doors, ["2525 inet", "5870 inet", "4650 inet", "127.0.0.1:10026 inet"]);
  assert.deepEqual(master.get("2525 inet"), []);
});

test("where Dovecot submits mail, only clients that the guard knows as Dovecot are accepted", () => {
  const options = master.get("127.0.0.1:10026 inet") ?? assert.fail();
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
  const networks = [parsePrefix("10.0.0.5") ?? assert.fail()];
  const behind = { smtp: 20_025, submission: 20_587, submissions: 20_465, imaps: 20_993 };
  const all = services(renderPostfixMaster(sampleSite({ ports, proxied: { networks, ports: behind } })));
  const own = [
    "smtpd_upstream_proxy_protocol=haproxy",
    "{ smtpd_client_restrictions = $ghostinbox_guard, reject_unauth_pipelining }",
  ];
  for (const [name, door, proxied] of [
    ["smtp", "2525 inet", "20025 inet"],
    ["submission", "5870 inet", "20587 inet"],
    ["submissions", "4650 inet", "20465 inet"],
  ] as const) {
    const added = (all.get(proxied) ?? []).slice(all.get(door)?.length);
    assert.deepEqual(added.toSorted(), [...own, `ghostinbox_context=proxied-${name}`].toSorted(), name);
    assert.deepEqual(all.get(door), master.get(door));
  }
});

test("whatever looks names up is chrooted, and so asks our resolver", () => {
  const lines = renderPostfixMaster(sampleSite()).split("\n");
  const asking = lines.filter((line) => / (smtpd|smtp)$/.test(line));
  assert.equal(asking.length, 6);
  for (const line of asking) assert.equal(line.split(" ")[4], "y", line);
});

test("Postfix's own services are there", () => {
  for (const name of ["cleanup unix", "qmgr unix", "proxymap unix", "lmtp unix", "anvil unix", "postlog unix-dgram"])
    assert.ok(master.has(name), name);
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
  assert.ok(options.includes("non_smtpd_milters=$ghostinbox_rspamd"));
  assert.ok("ghostinbox_rspamd" in postfixMilters(sampleSite({ verify: false })));
});
