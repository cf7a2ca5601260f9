import assert from "node:assert/strict";
import { test } from "node:test";
import { dkimKeys, renderDmarcEtc, renderOpendkim, renderOpendmarc } from "./authenticity.ts";
import { sampleSite } from "./sample-site.ts";

const site = sampleSite();

function textOf(files: ReturnType<typeof renderOpendkim>, name: string): string {
  return files.find((file) => file.name === name)?.text ?? "";
}

test("each domain signs with a key of its own", () => {
  assert.equal(
    textOf(renderOpendkim(site), "KeyTable"),
    "ghostinbox._domainkey.example.org example.org:ghostinbox:/srv/mail/lib/dkim/example.org.ghostinbox.pem\n" +
      "ghostinbox._domainkey.example.net example.net:ghostinbox:/srv/mail/lib/dkim/example.net.ghostinbox.pem\n",
  );
  assert.match(textOf(renderOpendkim(site), "SigningTable"), /^\*@example\.net ghostinbox\._domainkey\.example\.net$/m);
  assert.deepEqual(
    dkimKeys(site).map(({ domain, selector }) => `${selector} ${domain}`),
    ["ghostinbox example.org", "ghostinbox example.net"],
  );
});

test("no address makes a client one of ours: it signs for who has signed in", () => {
  assert.match(textOf(renderOpendkim(site), "opendkim.conf"), /^InternalHosts 255\.255\.255\.255$/m);
});

test("both write under our name; OpenDKIM asks our resolver where only that knows the names", () => {
  assert.doesNotMatch(textOf(renderOpendkim(site), "opendkim.conf"), /ResolverConfiguration/);
  const dkim = textOf(renderOpendkim({ ...site, dns: { ...site.dns, ownRoot: true } }), "opendkim.conf");
  const dmarc = textOf(renderOpendmarc(site), "opendmarc.conf");
  for (const text of [dkim, dmarc]) assert.match(text, /^AuthservID mail\.example\.org$/m);
  assert.match(dkim, /^ResolverConfiguration \/srv\/mail\/conf\/opendkim\/resolver\.conf$/m);
  assert.match(
    textOf(renderOpendkim(site), "resolver.conf"),
    /do-not-query-localhost: no\n.* {2}forward-addr: 127\.71\.9\.53$/ms,
  );
  assert.match(dmarc, /^ChangeRootDirectory \/srv\/mail\/spool\/postfix\/dmarc$/m);
  assert.match(dmarc, /^Socket local:\/run\/milter$/m);
  assert.match(textOf(renderDmarcEtc(site), "resolv.conf"), /^nameserver 127\.71\.9\.53$/m);
});

test("SPF is looked up, never read from a header", () => {
  const dmarc = textOf(renderOpendmarc(site), "opendmarc.conf");
  assert.match(dmarc, /^SPFIgnoreResults yes$/m);
  assert.match(dmarc, /^SPFSelfValidate yes$/m);
});
