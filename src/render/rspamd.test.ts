import assert from "node:assert/strict";
import { test } from "node:test";
import { dkimKeys } from "./dkim-keys.ts";
import { renderRspamd } from "./rspamd.ts";
import { sampleSite } from "./sample-site.ts";

const site = sampleSite();

function textOf(name: string): string {
  return renderRspamd(site).find((file) => file.name === name)?.text ?? "";
}

test("each domain signs with a key of its own, for who has signed in alone", () => {
  const text = textOf("rspamd.conf");
  for (const domain of ["example.org", "example.net"])
    assert.ok(
      text.includes(`"${domain}" { selector = "ghostinbox"; path = "/srv/mail/lib/dkim/${domain}.ghostinbox.pem"; }`),
    );
  assert.match(text, /sign_authenticated = true;\n\s+sign_local = false;/);
  assert.deepEqual(
    dkimKeys(site).map(({ domain, selector }) => `${selector} ${domain}`),
    ["ghostinbox example.org", "ghostinbox example.net"],
  );
});

test("it asks our resolver, and only loopback is a network of its own", () => {
  const text = textOf("rspamd.conf");
  assert.match(text, /nameserver = \["127\.71\.9\.53"\];\n\s+hosts = null;/);
  assert.match(text, /local_addrs = \["127\.0\.0\.0\/8", "::1\/128"\];/);
});

test("of its modules only those for authenticity are loaded", () => {
  const loaded = [...textOf("rspamd.conf").matchAll(/path = "\/usr\/share\/rspamd\/plugins\/(\w+)\.lua"/g)];
  assert.deepEqual(
    loaded.map(([, name]) => name),
    ["spf", "dmarc", "dkim_signing", "milter_headers"],
  );
});

test("no comment of the Lua rules ends them early, and the reply names the policy", () => {
  assert.match(textOf("rules.lua"), /"rejected by DMARC policy for " \.\. /);
  assert.match(textOf("rules.lua"), /^-- Rendered by GhostInbox/);
});
