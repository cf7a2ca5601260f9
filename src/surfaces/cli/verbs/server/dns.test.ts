import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { dataDirectory, ghostinbox } from "../../../../../test/kit/test-guard.ts";
import { dkimKeys } from "../../../../mail/rspamd/rspamd-conf.ts";

test("the records of every domain are listed, each with a table for a registrar's form", async () => {
  using layout = dataDirectory();
  const domains = ["example.org", "example.net"];
  writeFileSync(layout.settings, `domains = ${JSON.stringify(domains)}\nhostname = "mail.example.org"\n`);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  for (const { file } of dkimKeys({ layout, domains, dkimSelector: "ghostinbox" })) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }));
  }
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
