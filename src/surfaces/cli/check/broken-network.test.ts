import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname } from "node:path";
import { after } from "node:test";
import { type Broken, findEach, scratch } from "../../../../test/kit/broken-check.ts";
import { type CheckedParts, checkedServer, printing } from "../../../../test/kit/checked-server.ts";
import type { OfNetwork } from "../../../../test/kit/checks-in-product.ts";
import { ListServer } from "../../../../test/kit/list-server.ts";
import { listenOnPort } from "../../../../test/kit/local-server.ts";
import { mailCertificate, type Pair } from "../../../../test/kit/own-certificate.ts";
import { ip, net } from "../../../../test/kit/samples.ts";
import { type Speech, speaker } from "../../../../test/kit/speaker.ts";
import { zoneServer } from "../../../../test/kit/zone-server.ts";
import { DAY_MS, instant } from "../../../core/time.ts";
import { servedFiles } from "../../../mail/certificates/issue-certificate.ts";
import { dkimKeys } from "../../../mail/rspamd/rspamd-conf.ts";
import { layoutOf } from "../../../settings/layout.ts";
import { recordsOfDomain } from "../verbs/server/dns.ts";

const files = mailCertificate();
const ADDRESS = "203.0.113.10";

/** Broken inputs for each check of the network. */
const BROKEN: Readonly<Record<OfNetwork, Broken>> = {
  "ports.listening": { state: "wrong", saw: /25 by nc/, server: () => listening("0.0.0.0:25", "nc") },
  "ports.private": { state: "warning", saw: /0\.0\.0\.0:3000/, server: () => listening("0.0.0.0:3000", "node") },
  "ports.resolver": { state: "wrong", saw: /\*:53/, server: () => listening("*:53", "unbound") },
  "ports.others": { state: "warning", saw: /3306 \(mariadbd\)/, server: () => listening("0.0.0.0:3306", "mariadbd") },
  "ports.scan": {
    state: "warning",
    saw: /\d+ \(127\.99\.88\.77\)/,
    server: async () => ({
      // None of our internal ports may be open at the machine's address.
      settings: { "ports.login_policy": await listenOnPort(createServer(), "127.99.88.77") },
      machine: { ...printing(""), addresses: () => [ip("127.99.88.77")] },
    }),
  },
  "ports.proxies": {
    state: "wrong",
    saw: /\d+ \(127\.99\.88\.77\)/,
    server: async () => ({
      settings: {
        "proxy.networks": [net("10.0.0.5")],
        "ports.proxied_smtp": await listenOnPort(createServer(), "127.99.88.77"),
      },
      machine: { addresses: () => [ip("127.99.88.77")] },
    }),
  },

  "tls.versions": {
    state: "wrong",
    saw: /IMAPS speaks TLSv1\.1/,
    server: () => imaps({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }),
  },
  "tls.handshake": {
    state: "wrong",
    saw: /IMAPS does not start TLS/,
    server: () => imaps({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }),
  },
  "tls.ciphers": {
    state: "wrong",
    saw: /IMAPS takes .*NULL/,
    server: () => imaps({ maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0" }),
  },
  "tls.public": {
    state: "wrong",
    saw: /SMTP at 127\.0\.0\.1 does not start TLS/,
    server: async () => ({
      settings: { "ports.smtp": await speaker({}), "ports.imaps": 9 },
      machine: { addresses: () => [ip("127.0.0.1")] },
    }),
  },
  "tls.cleartext": {
    state: "wrong",
    saw: /SMTP offers AUTH before TLS/,
    server: () => smtp({ answers: [[/^EHLO/, "250-x\r\n250 AUTH PLAIN\r\n"]] }),
  },
  "tls.name": {
    state: "wrong",
    saw: /and not mx\.example\.net/,
    server: async () => ({ settings: { ...(await imaps({})).settings, hostname: "mx.example.net" } }),
  },
  "tls.chain": { state: "warning", saw: /No public authority/, server: () => imaps({}) },
  "tls.days": {
    state: "wrong",
    saw: /expired on/,
    server: async () => ({ ...(await imaps({})), now: instant(Date.now() + 31 * DAY_MS) }),
  },
  "tls.key": {
    state: "wrong",
    saw: /key of 1024 bits \(rsa\)/,
    server: async () => served(mailCertificate({ newKey: ["rsa:1024"] })),
  },
  "tls.same": {
    state: "wrong",
    saw: /IMAPS/,
    server: async () => ({ ...(await imaps({})), ...served(mailCertificate()) }),
  },

  "dns.mx": { state: "wrong", saw: /MX example\.org: It is not published/, server: () => withoutRecord("mx") },
  "dns.spf": { state: "wrong", saw: /TXT example\.org: It is not published/, server: () => withoutRecord("spf") },
  "dns.dkim": { state: "wrong", saw: /_domainkey\.example\.org: It is not/, server: () => withoutRecord("dkim") },
  "dns.dmarc": { state: "wrong", saw: /_dmarc\.example\.org: It is not/, server: () => withoutRecord("dmarc") },
  "dns.address": { state: "wrong", saw: /A mail\.example\.org/, server: () => withoutRecord("address") },
  "dns.reverse": { state: "wrong", saw: /PTR 10\.113\.0\.203/, server: () => withoutRecord("reverse") },
  "dns.services": { state: "warning", saw: /SRV _imaps/, server: () => withoutRecord("service") },
  "dns.tls-report": { state: "warning", saw: /_smtp\._tls/, server: () => withoutRecord("tls_report") },
  "dns.mta-sts": { state: "warning", saw: /announces no MTA-STS/, server: () => withoutRecord("mx") },
  "dns.resolver": {
    state: "wrong",
    saw: /127\.0\.0\.1:9 cannot be reached/,
    server: () => ({ resolver: "127.0.0.1:9" }),
  },

  "reputation.addresses": {
    state: "wrong",
    saw: /203\.0\.113\.10 is on zen\.spamhaus\.org \(127\.0\.0\.2, SBL/,
    server: async () => ({
      settings: { "dnsbl.zones": ["zen.spamhaus.org"] },
      resolver: await listServer("zen.spamhaus.org", { "10.113.0.203": "127.0.0.2" }),
      machine: { addresses: () => [ip(ADDRESS), ip("10.0.0.7")] },
    }),
  },
  "reputation.domains": {
    state: "wrong",
    saw: /example\.org is on dbl\.spamhaus\.org/,
    server: async () => {
      const named = { "dbltest.com": "127.0.1.2", "example.org": "127.0.1.2" };
      return { resolver: await listServer("dbl.spamhaus.org", named) };
    },
  },

  "mail-flow.relay": {
    state: "wrong",
    saw: /Port 25 accepts mail for relay-test@example\.com/,
    server: () => smtp({ answers: [[/^RCPT/, "250 2.1.5 Ok\r\n"]] }),
  },
  "mail-flow.anonymous": {
    state: "wrong",
    saw: /Submission accepts mail without a sign-in/,
    server: () => smtp({ tls: files, answers: [[/^RCPT/, "250 2.1.5 Ok\r\n"]] }),
  },
  "mail-flow.names": {
    state: "wrong",
    saw: /Port 25 reveals which addresses exist/,
    server: () => smtp({ answers: [[/^VRFY/, "250 2.1.5 Anna <anna@example.org>\r\n"]] }),
  },
  "mail-flow.port-25": {
    state: "wrong",
    saw: /offers AUTH after STARTTLS/,
    server: () => smtp({ tls: files, answers: [[/^EHLO/, "250-STARTTLS\r\n250 AUTH PLAIN\r\n"]] }),
  },
  "mail-flow.sign-in-imaps": {
    state: "wrong",
    saw: /IMAPS accepts a wrong password/,
    server: async () => {
      const answers = [[/^a LOGIN/, "a OK Logged in\r\n"]] as const;
      return {
        settings: { "ports.imaps": await speaker({ greeting: "* OK ready\r\n", answers, tls: files, atOnce: true }) },
      };
    },
  },
  "mail-flow.sign-in-submission": {
    state: "wrong",
    saw: /submission accepts a wrong password/,
    server: () => smtp({ tls: files, answers: [[/^AUTH/, "235 2.7.0 ok\r\n"]] }),
  },
  "mail-flow.sign-in-submissions": {
    state: "wrong",
    saw: /submissions accepts a wrong password/,
    server: async () => {
      const answers = [[/^AUTH/, "235 2.7.0 ok\r\n"]] as const;
      return { settings: { "ports.submissions": await speaker({ answers, tls: files, atOnce: true }) } };
    },
  },
};

findEach(BROKEN);

/** A program that listens there, as ss(8) shows it. */
function listening(at: string, program: string): CheckedParts {
  const line = `LISTEN 0 1 ${at} ${at.replace(/\d+$/, "*")} users:(("${program}",pid=7,fd=3))\n`;
  return { machine: printing(line) };
}

/** The dialogue is the same on all three SMTP ports that start without TLS. */
async function smtp(speech: Speech): Promise<CheckedParts> {
  const port = await speaker(speech);
  return { settings: { "ports.smtp": port, "ports.submission": port } };
}

/** IMAPS with the certificate of these tests. */
async function imaps(tls: Speech["tls"]): Promise<CheckedParts & Pick<Required<CheckedParts>, "settings">> {
  const speech = { greeting: "* OK ready\r\n", tls: { ...files, ...tls }, atOnce: true };
  return { settings: { "ports.imaps": await speaker(speech) } };
}

/** A data directory whose settings serve this certificate. */
function served({ cert }: Pair): CheckedParts {
  const { data } = layoutOf(scratch());
  const file = servedFiles(layoutOf(data)).cert;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, cert);
  return { data };
}

/** All records except those of one kind are published. */
async function withoutRecord(kind: string): Promise<CheckedParts> {
  const addresses = [ip(ADDRESS)];
  const machine = { addresses: () => addresses };
  const { layout, settings } = checkedServer({ data: await withDkimKey() });
  const found = recordsOfDomain({ layout, settings, addresses }, "example.org");
  assert.ok("records" in found);
  const zone = found.records.filter((record) => record.kind !== kind);
  return { data: layout.data, machine, resolver: await zoneServer(zone) };
}

let dkimData: string | undefined;
async function withDkimKey(): Promise<string> {
  if (dkimData !== undefined) return dkimData;
  dkimData = scratch();
  const { layout, settings } = checkedServer({ data: dkimData });
  const site = { layout, domains: settings.domains, dkimSelector: settings["dkim.selector"] };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  mkdirSync(layout.dkimKeys, { recursive: true });
  for (const { file } of dkimKeys(site)) writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }));
  return dkimData;
}

async function listServer(zone: string, listed: Readonly<Record<string, string>>): Promise<string> {
  const server = await ListServer.start("127.0.0.1", 0, { zone, manner: "honest", listed });
  after(() => server.close());
  return `127.0.0.1:${server.port}`;
}
