import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { after } from "node:test";
import { type Broken, findEach, warning, wrong } from "../../../../test/kit/broken-check.ts";
import { type CheckedParts, checkedServer, printing } from "../../../../test/kit/checked-server.ts";
import type { OfNetwork } from "../../../../test/kit/checks-in-product.ts";
import { put } from "../../../../test/kit/files.ts";
import { ListServer } from "../../../../test/kit/list-server.ts";
import { listenOnPort } from "../../../../test/kit/local-server.ts";
import { mailCertificate, type Pair } from "../../../../test/kit/own-certificate.ts";
import { ip, net } from "../../../../test/kit/samples.ts";
import { type Speech, speaker } from "../../../../test/kit/speaker.ts";
import { temporaryDirectory, temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { zoneServer } from "../../../../test/kit/zone-server.ts";
import { DAY_MS, instant } from "../../../core/time.ts";
import { servedFiles } from "../../../mail/certificates/issue-certificate.ts";
import { dkimKeys } from "../../../mail/rspamd/rspamd-conf.ts";
import { recordsOfDomain } from "../verbs/server/dns.ts";

const files = mailCertificate();
const ADDRESS = "203.0.113.10";
const OLD_TLS = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
const TAKES_MAIL = [/^RCPT/, "250 2.1.5 Ok\r\n"] as const;
const LOGS_IN = [/^a LOGIN/, "a OK Logged in\r\n"] as const;
const SIGNS_IN = [/^AUTH/, "235 2.7.0 ok\r\n"] as const;

/** Broken inputs for each check of the network. */
const BROKEN: Readonly<Record<OfNetwork, Broken>> = {
  "ports.listening": wrong(/25 by nc/, () => listening("0.0.0.0:25", "nc")),
  "ports.private": warning(/0\.0\.0\.0:3000/, () => listening("0.0.0.0:3000", "node")),
  "ports.resolver": wrong(/\*:53/, () => listening("*:53", "unbound")),
  "ports.others": warning(/3306 \(mariadbd\)/, () => listening("0.0.0.0:3306", "mariadbd")),
  "ports.scan": warning(/\d+ \(127\.99\.88\.77\)/, async () => ({
    // No internal port of ours may be open at the machine's address.
    settings: { "ports.login_policy": await listenOnPort(createServer(), "127.99.88.77") },
    machine: { ...printing(""), addresses: () => [ip("127.99.88.77")] },
  })),
  "ports.proxies": wrong(/\d+ \(127\.99\.88\.77\)/, async () => ({
    settings: {
      "proxy.networks": [net("10.0.0.5")],
      "ports.proxied_smtp": await listenOnPort(createServer(), "127.99.88.77"),
    },
    machine: { addresses: () => [ip("127.99.88.77")] },
  })),

  "tls.versions": wrong(/IMAPS speaks TLSv1\.1/, () => imaps(OLD_TLS)),
  "tls.handshake": wrong(/IMAPS does not start TLS/, () => imaps(OLD_TLS)),
  "tls.ciphers": wrong(/IMAPS takes .*NULL/, () =>
    imaps({ maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0" }),
  ),
  "tls.public": wrong(/SMTP at 127\.0\.0\.1 does not start TLS/, async () => ({
    settings: { "ports.smtp": await speaker({}), "ports.imaps": 9 },
    machine: { addresses: () => [ip("127.0.0.1")] },
  })),
  "tls.cleartext": wrong(/SMTP offers AUTH before TLS/, () => smtp([[/^EHLO/, "250-x\r\n250 AUTH PLAIN\r\n"]])),
  "tls.name": wrong(/and not mx\.example\.net/, async () => ({
    settings: { ...(await imaps({})).settings, hostname: "mx.example.net" },
  })),
  "tls.chain": warning(/No public authority/, () => imaps({})),
  "tls.days": wrong(/expired on/, async () => ({ ...(await imaps({})), now: instant(Date.now() + 31 * DAY_MS) })),
  "tls.key": wrong(/key of 1024 bits \(rsa\)/, async () => served(mailCertificate({ newKey: ["rsa:1024"] }))),
  "tls.same": wrong(/IMAPS/, async () => ({ ...(await imaps({})), ...served(mailCertificate()) })),

  "dns.mx": wrong(/MX example\.org: It is not published/, () => withoutRecord("mx")),
  "dns.spf": wrong(/TXT example\.org: It is not published/, () => withoutRecord("spf")),
  "dns.dkim": wrong(/_domainkey\.example\.org: It is not/, () => withoutRecord("dkim")),
  "dns.dmarc": wrong(/_dmarc\.example\.org: It is not/, () => withoutRecord("dmarc")),
  "dns.address": wrong(/A mail\.example\.org/, () => withoutRecord("address")),
  "dns.reverse": wrong(/PTR 10\.113\.0\.203/, () => withoutRecord("reverse")),
  "dns.services": warning(/SRV _imaps/, () => withoutRecord("service")),
  "dns.tls-report": warning(/_smtp\._tls/, () => withoutRecord("tls_report")),
  "dns.mta-sts": warning(/announces no MTA-STS/, () => withoutRecord("mx")),
  "dns.resolver": wrong(/127\.0\.0\.1:9 cannot be reached/, () => ({ resolver: "127.0.0.1:9" })),

  "reputation.addresses": wrong(/203\.0\.113\.10 is on zen\.spamhaus\.org \(127\.0\.0\.2, SBL/, async () => ({
    settings: { "dnsbl.zones": ["zen.spamhaus.org"] },
    resolver: await listServer("zen.spamhaus.org", { "10.113.0.203": "127.0.0.2" }),
    machine: { addresses: () => [ip(ADDRESS), ip("10.0.0.7")], outgoingAddresses: async () => [ip("10.0.0.7")] },
  })),
  "reputation.domains": wrong(/example\.org is on dbl\.spamhaus\.org/, async () => {
    const named = { "dbltest.com": "127.0.1.2", "example.org": "127.0.1.2" };
    return { resolver: await listServer("dbl.spamhaus.org", named) };
  }),

  "mail-flow.relay": wrong(/Port 25 accepts mail for relay-test@example\.com/, () => smtp([TAKES_MAIL])),
  "mail-flow.anonymous": wrong(/Submission accepts mail without a sign-in/, () => smtp([TAKES_MAIL], files)),
  "mail-flow.names": wrong(/Port 25 reveals which addresses exist/, () =>
    smtp([[/^VRFY/, "250 2.1.5 Anna <anna@example.org>\r\n"]]),
  ),
  "mail-flow.port-25": wrong(/offers AUTH after STARTTLS/, () =>
    smtp([[/^EHLO/, "250-STARTTLS\r\n250 AUTH PLAIN\r\n"]], files),
  ),
  "mail-flow.sign-in-imaps": wrong(/IMAPS accepts a wrong password/, () => imaps({}, [LOGS_IN])),
  "mail-flow.sign-in-submission": wrong(/submission accepts a wrong password/, () => smtp([SIGNS_IN], files)),
  "mail-flow.sign-in-submissions": wrong(/submissions accepts a wrong password/, async () => ({
    settings: { "ports.submissions": await speaker({ answers: [SIGNS_IN], tls: files, atOnce: true }) },
  })),
};

findEach(BROKEN);

/** A program that listens at this address and port, as ss(8) shows it. */
function listening(at: string, program: string): CheckedParts {
  return { machine: printing(`LISTEN 0 1 ${at} ${at.replace(/\d+$/, "*")} users:(("${program}",pid=7,fd=3))\n`) };
}

type Answers = NonNullable<Speech["answers"]>;

/** The dialogue is the same on all three SMTP ports that start without TLS. */
async function smtp(answers: Answers, tls?: Speech["tls"]): Promise<CheckedParts> {
  const port = await speaker({ answers, ...(tls && { tls }) });
  return { settings: { "ports.smtp": port, "ports.submission": port } };
}

/** IMAPS with the certificate of these tests. */
async function imaps(tls: Speech["tls"], answers: Answers = []) {
  const speech = { greeting: "* OK ready\r\n", answers, tls: { ...files, ...tls }, atOnce: true };
  return { settings: { "ports.imaps": await speaker(speech) } };
}

/** A data directory whose settings serve this certificate. */
function served({ cert }: Pair): CheckedParts {
  const layout = temporaryLayout();
  put(servedFiles(layout).cert, cert);
  return { data: layout.data };
}

/** All records except those of one kind are published. */
async function withoutRecord(kind: string): Promise<CheckedParts> {
  const addresses = [ip(ADDRESS)];
  const machine = { addresses: () => addresses };
  const { layout, settings } = checkedServer({ data: withDkimKey() });
  const found = recordsOfDomain({ layout, settings, addresses }, "example.org");
  assert.ok("records" in found);
  const zone = found.records.filter((record) => record.kind !== kind);
  return { data: layout.data, machine, resolver: await zoneServer(zone) };
}

/** A data directory with a DKIM key, for all tests. */
const dkimData = temporaryDirectory();
function withDkimKey(): string {
  const { layout, settings } = checkedServer({ data: dkimData });
  if (existsSync(layout.dkimKeys)) return dkimData;
  const site = { layout, domains: settings.domains, dkimSelector: settings["dkim.selector"] };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  for (const { file } of dkimKeys(site)) put(file, privateKey.export({ type: "pkcs8", format: "pem" }));
  return dkimData;
}

async function listServer(zone: string, listed: Readonly<Record<string, string>>): Promise<string> {
  const server = await ListServer.start("127.0.0.1", 0, { zone, manner: "honest", listed });
  after(() => server.close());
  return `127.0.0.1:${server.port}`;
}
