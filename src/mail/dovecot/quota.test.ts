import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { PROXIED_PORTS, sampleSite } from "../../../test/kit/sample-site.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { quotaPlugin, quotaServices, renderQuotaWarning } from "./quota.ts";

const settings = (changes = {}): readonly string[] =>
  quotaPlugin(sampleSite(changes))
    .split("\n")
    .map((line) => line.trim());

test("the quota is that of the settings, with room for one more mail that was accepted", () => {
  assert.ok(settings().includes("quota_rule = *:bytes=5368709120:messages=327680"), "tiny mails cannot fill the disk");
  assert.ok(settings({ mailboxQuotaBytes: 20_000 }).includes("quota_rule = *:bytes=20000:messages=2"));
  assert.ok(settings({ mailboxQuotaBytes: 0 }).includes("quota_rule = *:bytes=0:messages=0"), "no limit");
  assert.ok(settings({ messageSizeBytes: 65_536 }).includes("quota_grace = 65536B"));
});

test("the owner of a mailbox that fills up gets a warning: the highest threshold first", () => {
  const warnings = settings().filter((line) => line.startsWith("quota_warning"));
  assert.deepEqual(warnings, [
    "quota_warning = storage=95%% quota-warning 95 %u %h",
    "quota_warning2 = messages=95%% quota-warning 95 %u %h",
    "quota_warning3 = storage=80%% quota-warning 80 %u %h",
    "quota_warning4 = messages=80%% quota-warning 80 %u %h",
  ]);
});

test("every smtpd of the three ports finds a process that answers it", () => {
  const room = (changes = {}): number => {
    const services = quotaServices(sampleSite(changes));
    const limit = (name: string): number => Number(new RegExp(`${name}_limit = (\\d+)`).exec(services)?.[1]);
    return limit("client") * limit("process");
  };
  const { smtpPlaces } = sampleSite().limits;
  assert.ok(room() >= 3 * smtpPlaces);
  const withProxies = room({ proxied: { networks: [], ports: PROXIED_PORTS } });
  assert.ok(withProxies >= 6 * smtpPlaces, "and of the three for proxies");
});

test("only Postfix asks, and only the owner of the mailboxes warns", () => {
  const services = quotaServices(sampleSite());
  assert.match(services, /private\/quota-status \{\n {4}mode = 0600\n {4}user = postfix\n/);
  assert.match(services, /unix_listener quota-warning \{\n {4}mode = 0600\n {4}user = ghostinbox-mail\n/);
  assert.match(services, /executable = script \/srv\/mail\/conf\/dovecot\/quota-warning\n {2}user = ghostinbox-mail\n/);
});

test("the warning is a complete mail in the mailbox, readable only by its owner", () => {
  const directory = temporaryDirectory();
  const maildir = join(directory, "Maildir");
  for (const part of ["tmp", "new"]) mkdirSync(join(maildir, part), { recursive: true });
  const script = join(directory, "quota-warning");
  writeFileSync(script, renderQuotaWarning(sampleSite()).text);
  execFileSync("sh", [script, "80", "anna@example.org", directory]);
  assert.deepEqual(readdirSync(join(maildir, "tmp")), []);
  const [name = ""] = readdirSync(join(maildir, "new"));
  const path = join(maildir, "new", name);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const [head = "", body = ""] = readFileSync(path, "utf8").split(/\n\n(.*)/s);
  assert.match(head, /^From: Mail server <postmaster@example\.org>\nTo: <anna@example\.org>\n/);
  assert.match(head, /^Subject: Your mailbox is 80 % full$/m);
  assert.match(head, /^Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000$/m);
  assert.match(head, /^Message-ID: <[^<>\s]+@mail\.example\.org>$/m);
  assert.match(body, /anna@example\.org is 80 % full/);
});
