import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { ip } from "../../../test/kit/samples.ts";
import { formFields, judge, printZone, type RecordKind, recordsOf, reverseName } from "./records.ts";

const KEY = "A".repeat(392);

const addresses = [ip("203.0.113.7"), ip("2001:db8::25")];
const publisher = { settings: settingsWith(), domain: "example.org", addresses, key: KEY };

test("the zone file of a domain", () => {
  const lines = printZone(recordsOf(publisher))
    .split("\n")
    .filter((line) => !line.startsWith(";"));
  const key = `v=DKIM1; k=rsa; p=${KEY}`;
  assert.deepEqual(lines, [
    "example.org. MX 10 mail.example.org.",
    "mail.example.org. A 203.0.113.7",
    "7.113.0.203.in-addr.arpa. PTR mail.example.org.",
    "mail.example.org. AAAA 2001:db8::25",
    `${reverseName(ip("2001:db8::25"))}. PTR mail.example.org.`,
    'example.org. TXT "v=spf1 mx -all"',
    'mail.example.org. TXT "v=spf1 a -all"',
    `ghostinbox._domainkey.example.org. TXT "${key.slice(0, 255)}" "${key.slice(255)}"`,
    '_dmarc.example.org. TXT "v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org"',
    '_smtp._tls.example.org. TXT "v=TLSRPTv1; rua=mailto:postmaster@example.org"',
    "_imaps._tcp.example.org. SRV 0 1 993 mail.example.org.",
    "_submissions._tcp.example.org. SRV 0 1 465 mail.example.org.",
    "_submission._tcp.example.org. SRV 0 1 587 mail.example.org.",
  ]);
});

test("the server's name gets its own record for HELO, unless it is a mail domain or a relay sends", () => {
  const own = recordsOf(publisher).find(({ name, type }) => name === "mail.example.org" && type === "TXT");
  assert.equal(own?.required, true);
  const spf = (changes: Partial<typeof publisher.settings>) =>
    recordsOf({ ...publisher, settings: { ...publisher.settings, ...changes } })
      .filter(({ value }) => value.startsWith("v=spf1"))
      .map(({ name, value }) => `${name} ${value}`);
  assert.deepEqual(spf({ hostname: "example.org" }), ["example.org v=spf1 mx -all"]);
  const relayed = spf({ "outbound.relay": "[smtp.relay.example]:587" });
  assert.deepEqual(relayed, ["example.org v=spf1 mx a:smtp.relay.example ~all"]);
});

test("the names of the server's addresses are optional behind a relay", () => {
  for (const [relay, required] of [
    ["", true],
    ["[smtp.relay.example]:587", false],
  ] as const) {
    const settings = { ...publisher.settings, "outbound.relay": relay };
    const reverse = recordsOf({ ...publisher, settings }).filter(({ kind }) => kind === "reverse");
    assert.deepEqual(
      reverse.map((record) => record.required),
      [required, required],
    );
  }
});

test("behind a proxy, both SPF records have a placeholder for the address from which mail leaves", () => {
  const proxied = { ...publisher, settings: settingsWith('proxy.networks = ["198.51.100.10"]') };
  const proposed = recordsOf({ ...proxied, addresses: [ip("2001:db8::25")] }).filter(({ kind }) => /spf/.test(kind));
  const values = proposed.map(({ value }) => value);
  assert.deepEqual(values, ["v=spf1 mx ip4:OUTGOING-ADDRESS -all", "v=spf1 a ip4:OUTGOING-ADDRESS -all"]);
  for (const record of proposed) {
    const judged = (changed: string) => judge(record, { ok: true, found: [changed] });
    const withAddress = (address: string) => judged(record.value.replace("OUTGOING-ADDRESS", address)).status;
    assert.deepEqual(["203.0.113.9", "192.168.1.9", "203.0.113.999"].map(withAddress), ["ok", "unknown", "unknown"]);
    assert.equal(judged("v=spf1 mx -all").status, "unknown");
    const detail = "Replace OUTGOING-ADDRESS with the IPv4 address from which mail leaves.";
    assert.deepEqual(judged(record.value), { status: "wrong", detail });
  }
  const own = recordsOf(proxied).find(({ kind }) => kind === "spf");
  assert.equal(own?.value, "v=spf1 mx -all", "mail leaves from its own address");
  assert.equal(own && judge(own, { ok: true, found: ["v=spf1 mx ip4:203.0.113.9 -all"] }).status, "unknown");
});

test("reverse names (RFC 1035 section 3.5, RFC 3596 section 2.5)", () => {
  assert.equal(reverseName(ip("203.0.113.7")), "7.113.0.203.in-addr.arpa");
  const name = "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa";
  assert.equal(reverseName(ip("4321:0:1:2:3:4:567:89ab")), name);
  assert.equal(reverseName(ip("2001:db8::25")), `5.2.${"0.".repeat(22)}8.b.d.0.1.0.0.2.ip6.arpa`);
});

test("the fields of a registrar's form: the name without the domain, the text in one piece, the priority separately", () => {
  const fieldsOf = (about: typeof publisher) => recordsOf(about).map((record) => formFields(record, "example.org"));
  const fields = fieldsOf(publisher);
  const [mx] = fields;
  assert.deepEqual(mx, { type: "MX", name: "@", priority: 10, value: "mail.example.org" });
  const key = fields.find(({ name }) => name === "ghostinbox._domainkey");
  const value = `v=DKIM1; k=rsa; p=${KEY}`;
  assert.deepEqual(key, { type: "TXT", name: "ghostinbox._domainkey", priority: null, value });
  const imaps = fields.find(({ name }) => name === "_imaps._tcp");
  assert.deepEqual([imaps?.priority, imaps?.value], [0, "1 993 mail.example.org"]);
  const others = fieldsOf({ ...publisher, settings: { ...publisher.settings, hostname: "mail.other.test" } });
  const whole = others.find(({ name }) => name === "mail.other.test");
  assert.equal(whole?.type, "A", "a name of another zone stays whole");
});

const records = recordsOf({ ...publisher, addresses: [], key: "MIIB+/=" });

function judged(kind: RecordKind, ...values: readonly string[]) {
  const record = records.find((one) => one.kind === kind) ?? assert.fail(kind);
  return judge(record, { ok: true, found: values });
}

test("a record that is not published is missing, whatever its kind", () => {
  for (const record of records) assert.equal(judge(record, { ok: true, found: [] }).status, "missing", record.kind);
});

test("a resolver that does not answer says nothing about the record", () => {
  for (const record of records) assert.equal(judge(record, { ok: false, reason: "ETIMEOUT" }).status, "unknown");
});

for (const [status, kind, ...values] of [
  // This server, and no other host before it.
  ["ok", "mx", "10 mail.example.org."],
  ["wrong", "mx", "10 mail.example.org.", "5 mx.registrar.example.", "20 backup.example.net."],
  ["unknown", "mx", "10 mail.example.org.", "10 mx.registrar.example."],
  ["ok", "mx", "5 Mail.Example.org.", "20 backup.example.net."],
  ["wrong", "mx", "10 mx.elsewhere.example."],
  // Exactly one record, which does not let anyone send.
  ["ok", "spf", "google-site-verification=x", "v=spf1 mx -all"],
  ["wrong", "spf", "v=spf1 mx -all", "v=spf1 a -all"],
  ["wrong", "spf", "v=spf1 +all"],
  ["unknown", "spf", "v=spf1 include:spf.example.net ~all"],
  ["missing", "spf", "something else"],
  // Our key, however its record is written.
  ["ok", "dkim", "v=DKIM1;k=rsa;p=MIIB +/="],
  ["ok", "dkim", "v = DKIM1; p = MIIB+/="],
  ["wrong", "dkim", "v=DKIM1; p=MIIBother"],
  ["wrong", "dkim", "v=DKIM1; p="],
  // Exactly one record, with any policy.
  ["ok", "dmarc", "v=DMARC1; p=reject"],
  ["ok", "dmarc", "v=DMARC1; p = none; rua=mailto:x@y.example"],
  ["wrong", "dmarc", "v=DMARC1; rua=mailto:x@y.example"],
  ["wrong", "dmarc", "v=DMARC1; p=none", "v=DMARC1; p=reject"],
  // Port and name.
  ["ok", "service", "0 1 993 mail.example.org."],
  ["wrong", "service", "0 1 143 mail.example.org."],
] as const)
  test(`${kind}: ${values.join(" and ")} is ${status}`, () => assert.equal(judged(kind, ...values).status, status));

test("an explanation that ends with a host name has no second dot", () => {
  assert.match(judged("mx", "10 mx.elsewhere.example.").detail, /[^.]\.$/);
  const { detail } = judged("mx", "10 mail.example.org.", "5 mx.registrar.example.", "20 backup.example.net.");
  assert.equal(detail, "Mail may go first to these hosts; make sure that they pass it on: mx.registrar.example.");
  assert.match(judged("service", "0 1 143 mail.example.org.").detail, /[^.]\.$/);
});
