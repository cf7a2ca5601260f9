import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { installed } from "../../../test/kit/needs.ts";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { ip } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import type { Site } from "../configuration/site.ts";
import { renderUnbound } from "./unbound-conf.ts";

function rendered(changes: Partial<Site["dns"]> = {}): string {
  const site = sampleSite();
  return renderUnbound({ ...site, dns: { ...site.dns, ...changes } });
}

for (const [what, line] of [
  ["a name server learns only the part of a name that it needs", "qname-minimisation: yes"],
  ["name servers that were silent are still probed", "infra-keep-probing: yes"],
] as const)
  test(what, () => assert.ok(rendered().includes(`\n  ${line}\n`)));

test("its caches share the memory of the setting, records twice as much as messages", () => {
  const text = rendered({ cacheBytes: 3_000_001 });
  assert.match(text, /^ {2}msg-cache-size: 1000000$/m);
  assert.match(text, /^ {2}rrset-cache-size: 2000001$/m);
});

test("with other resolvers, all queries go there, and the answers are still validated here", () => {
  const text = rendered({ forward: [ip("2001:db8::53"), ip("192.0.2.53")] });
  const addresses = ["2001:db8::53", "192.0.2.53"].map((address) => `  forward-addr: ${address}\n`).join("");
  assert.ok(text.includes(`\nforward-zone:\n  name: "."\n${addresses}  forward-first: yes\n`), text);
  assert.match(text, /^ {2}module-config: "validator iterator"$/m);
});

test("a zone of several servers is one zone that all of them answer", () => {
  const stubs = ["10.0.0.53", "10.0.1.53"].map((address) => ({ zone: "corp.example", address: ip(address) }));
  const text = rendered({ stubs });
  const addresses = "  stub-addr: 10.0.0.53\n  stub-addr: 10.0.1.53\n";
  assert.ok(text.includes(`\nstub-zone:\n  name: "corp.example"\n${addresses}`), text);
  for (const once of [/name: "corp\.example"/g, /domain-insecure: "corp\.example"/g])
    assert.equal(text.match(once)?.length, 1);
});

test("other queries wait neither for one slow server nor for sixteen silent ones of each query that Unbound can hold", () => {
  const numberOf = (setting: string) => Number(new RegExp(`^ {2}${setting}: (\\d+)$`, "m").exec(rendered())?.[1]);
  assert.ok(numberOf("outgoing-num-tcp") >= numberOf("num-queries-per-thread"), "no other connection is ended");
  assert.ok(numberOf("outgoing-range") >= 16 * numberOf("num-queries-per-thread"));
});

const UNBOUND = ["unbound-checkconf", "/usr/share/dns/root.hints", "/usr/share/dns/root.key"];
test("unbound accepts it", installed(...UNBOUND), () => {
  const directory = temporaryDirectory();
  const file = join(directory, "unbound.conf");
  const stubs = [{ zone: "corp.example", address: ip("2001:db8::53") }];
  writeFileSync(file, rendered({ ownRoot: true, stubs, forward: [ip("2001:db8::54")] }));
  assert.match(execFileSync("unbound-checkconf", [file], { encoding: "utf8" }), /no errors/);
});
