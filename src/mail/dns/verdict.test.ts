import assert from "node:assert/strict";
import { test } from "node:test";
import { type DnsRecord, judge, type RecordKind, recordsOf } from "./records.ts";

const records = recordsOf({
  domain: "example.org",
  hostname: "mail.example.org",
  addresses: [],
  dkim: { selector: "ghostinbox", publicKey: "MIIB+/=" },
  relay: null,
  ports: { submission: 587, submissions: 465, imaps: 993 },
});

function verdict(kind: RecordKind, ...values: readonly string[]): string {
  const record = records.find((one): one is DnsRecord => one.kind === kind);
  assert.ok(record !== undefined);
  return judge(record, values.length === 0 ? { type: "none" } : { type: "values", values }).status;
}

test("what is not there is missing, whatever it is for", () => {
  for (const record of records) assert.equal(judge(record, { type: "none" }).status, "missing", record.kind);
});

test("a resolver that does not answer says nothing about the record", () => {
  for (const record of records) assert.equal(judge(record, { type: "failed", why: "ETIMEOUT" }).status, "unknown");
});

test("MX: this server, whatever the preference and whoever else", () => {
  assert.equal(verdict("mx", "10 mail.example.org."), "ok");
  assert.equal(verdict("mx", "5 Mail.Example.org.", "20 backup.example.net."), "ok");
  assert.equal(verdict("mx", "10 mx.elsewhere.example."), "wrong");
});

test("SPF: one record that does not let everybody send", () => {
  assert.equal(verdict("spf", "google-site-verification=x", "v=spf1 mx -all"), "ok");
  assert.equal(verdict("spf", "v=spf1 mx -all", "v=spf1 a -all"), "wrong");
  assert.equal(verdict("spf", "v=spf1 +all"), "wrong");
  assert.equal(verdict("spf", "v=spf1 include:spf.example.net ~all"), "unknown");
  assert.equal(verdict("spf", "something else"), "missing");
});

test("DKIM: our key, however its record is written", () => {
  assert.equal(verdict("dkim", "v=DKIM1;k=rsa;p=MIIB +/="), "ok");
  assert.equal(verdict("dkim", "v=DKIM1; p=MIIBother"), "wrong");
  assert.equal(verdict("dkim", "v=DKIM1; p="), "wrong");
});

test("DMARC: any policy, but one", () => {
  assert.equal(verdict("dmarc", "v=DMARC1; p=reject"), "ok");
  assert.equal(verdict("dmarc", "v=DMARC1; p = none; rua=mailto:x@y.example"), "ok");
  assert.equal(verdict("dmarc", "v=DMARC1; rua=mailto:x@y.example"), "wrong");
  assert.equal(verdict("dmarc", "v=DMARC1; p=none", "v=DMARC1; p=reject"), "wrong");
});

test("SRV: port and name", () => {
  assert.equal(verdict("service", "0 1 993 mail.example.org."), "ok");
  assert.equal(verdict("service", "0 1 143 mail.example.org."), "wrong");
});

test("a name in an explanation ends with the dot that is its own", () => {
  for (const [kind, value] of [
    ["mx", "10 mx.elsewhere.example."],
    ["service", "0 1 143 mail.example.org."],
  ] as const) {
    const record = records.find((one) => one.kind === kind);
    assert.ok(record !== undefined);
    assert.match(judge(record, { type: "values", values: [value] }).detail, /[^.]\.$/);
  }
});
