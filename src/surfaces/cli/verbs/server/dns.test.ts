import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { checkedServer } from "../../../../../test/kit/checked-server.ts";
import { put } from "../../../../../test/kit/files.ts";
import { beforeEachOf } from "../../../../../test/kit/hooks.ts";
import { lacking } from "../../../../../test/kit/needs.ts";
import { ip } from "../../../../../test/kit/samples.ts";
import { commandLineOf } from "../../../../../test/kit/test-guard.ts";
import { SERVFAIL, zoneServer } from "../../../../../test/kit/zone-server.ts";
import { makeDkimKeys } from "../../../../mail/configuration/apply.ts";
import { compared, expectedRecords } from "../../../../mail/dns/published-records.ts";
import { dkimKeys } from "../../../../mail/rspamd/rspamd-conf.ts";
import { outcomeOf, outsideHint } from "./dns.ts";

const domains = ["example.org", "example.net"];

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });

const { layout, does } = commandLineOf(import.meta.filename);
beforeEachOf(import.meta.filename, () => {
  writeFileSync(layout.settings, `domains = ${JSON.stringify(domains)}\nhostname = "mail.example.org"\n`);
  for (const { file } of dkimKeys({ layout, domains, dkimSelector: "ghostinbox" }))
    put(file, privateKey.export({ type: "pkcs8", format: "pem" }));
});

test("the records of every domain are listed, each with a table for a registrar's form", async () => {
  const out = await does("dns records");
  for (const domain of domains) {
    assert.ok(out.includes(`\n${domain}. MX 10 mail.example.org.\n`), out);
    const says = new RegExp(
      `in the zone ${domain}\\. .*\\n; TYPE +NAME +PRIORITY +VALUE\\n; MX +@ +10 +mail\\.example\\.org`,
    );
    assert.match(out, says);
  }
});

test("asks to publish records of the address in front of the machine, by family", () => {
  const [v4, v6] = [ip("192.168.7.10"), ip("2001:db8:10::10")];
  assert.match(outsideHint([], [v4]).join(), /^; This machine has no public address: publish A, AAAA and PTR records/);
  assert.match(
    outsideHint([v6], [v4, v6]).join(),
    /^; This machine has no public IPv4 address: publish A and PTR records .* if it forwards port 25; otherwise see /,
  );
  assert.deepEqual(outsideHint([v6], [v6]), []);
  assert.deepEqual(outsideHint([ip("203.0.113.10"), v6], [v4, v6]), []);
});

const ROOT = { skip: lacking({ root: true, installed: ["rspamd"] }) };

test("the key of a new selector comes with its records, before mail is signed with it", ROOT, async () => {
  writeFileSync(layout.settings, readFileSync(layout.settings, "utf8") + 'dkim.selector = "k2"\n');
  const records = async (): Promise<string> => does("dns records example.org");
  const shown = await records();
  assert.match(shown, /^k2\._domainkey\.example\.org\. TXT /m);
  makeDkimKeys({ layout, domains: ["example.org"], dkimSelector: "k2" });
  assert.equal(await records(), shown, "applying keeps the key");
});

test("a check fails while a required record cannot be looked up, even if others are", async () => {
  const srv = { name: "_imaps._tcp.example.org", type: "SRV", value: "0 1 993 mail.example.org." } as const;
  const spf = { name: "example.org", type: "TXT", value: "v=spf1 mx include:elsewhere.example -all" } as const;
  const { settings } = checkedServer({ resolver: await zoneServer([srv, spf], SERVFAIL) });
  const { records } = expectedRecords(settings, [], "example.org", "AAAA");
  const of = async (...kinds: readonly string[]) =>
    outcomeOf(
      "example.org",
      await compared({ settings, addresses: [], records: records.filter(({ kind }) => kinds.includes(kind)) }),
    );
  const failed = await of("spf", "dkim", "service");
  assert.match(failed.ok ? "" : failed.message, /^1 required record could not be looked up\./);
  assert.ok((await of("spf", "service")).ok, "the owner's own SPF record is for the owner to judge");
});
