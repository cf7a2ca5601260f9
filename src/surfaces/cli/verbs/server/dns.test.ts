import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { dataDirectory, ghostinbox } from "../../../../../test/kit/test-guard.ts";
import { dkimKeys } from "../../../../mail/rspamd/rspamd-conf.ts";

const domains = ["example.org", "example.net"];

function withKeys() {
  const layout = dataDirectory();
  writeFileSync(layout.settings, `domains = ${JSON.stringify(domains)}\nhostname = "mail.example.org"\n`);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  for (const { file } of dkimKeys({ layout, domains, dkimSelector: "ghostinbox" })) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }));
  }
  return layout;
}

test("the records of every domain are listed, each with a table for a registrar's form", async () => {
  using layout = withKeys();
  const { code, out } = await ghostinbox(layout, ["dns", "records"]);
  assert.equal(code, 0, out);
  for (const domain of domains) {
    assert.ok(out.includes(`\n${domain}. MX 10 mail.example.org.\n`), out);
    assert.match(
      out,
      new RegExp(`for ${domain} \\(.*\\n; TYPE +NAME +PRIORITY +VALUE\\n; MX +@ +10 +mail\\.example\\.org`),
    );
  }
});

test("a check without a resolver fails", async () => {
  using layout = withKeys();
  writeFileSync(layout.settings, readFileSync(layout.settings, "utf8") + 'dns.address = "127.9.8.7"\n');
  const { code, err } = await ghostinbox(layout, ["dns", "check", "example.org"]);
  assert.equal(code, 1);
  assert.match(err, /^No record could be verified\. /m);
});
