import assert from "node:assert/strict";
import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { net } from "../../../test/kit/samples.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import type { Isolation } from "../../core/incident/incident.ts";
import { isComplete, isolatedPorts, keepIsolation, nftIsolate, readIsolation } from "./isolation.ts";

const ISOLATION: Isolation = { incident: "x", since: "", allow: [], ssh: [22], shut: ["send"] };

test("the isolation is kept until it is lifted; an unreadable file isolates", () => {
  const layout = temporaryLayout();
  assert.equal(readIsolation(layout), null);
  keepIsolation(layout, ISOLATION);
  assert.deepEqual(readIsolation(layout), ISOLATION);
  writeFileSync(join(layout.isolation), "{");
  utimesSync(layout.isolation, 0, 1_700_000_000);
  const unknown = { incident: "unknown", since: "2023-11-14T22:13:20.000Z", allow: [], ssh: [22] };
  assert.deepEqual(readIsolation(layout), { ...unknown, shut: ["receive", "sign-in", "send"] });
  keepIsolation(layout, null);
  assert.equal(readIsolation(layout), null);
});

test("the ports for proxies are closed with their counterparts, and a relay at its own port", () => {
  const usual = { smtp: [25], signIn: [587, 465, 993, 3000], relay: null };
  assert.deepEqual(isolatedPorts(settingsWith()), usual);
  const relayAt = (port: number) => isolatedPorts(settingsWith(`outbound.relay = "[smtp.example.net]:${port}"`)).relay;
  assert.deepEqual([relayAt(587), relayAt(25)], [587, null]);
  const second = { smtp: [25, 325], signIn: [...usual.signIn, 387, 365, 393] };
  assert.deepEqual(isolatedPorts(settingsWith('proxy.networks = ["10.0.0.5"]')), { ...usual, ...second });
});

const PORTS = { smtp: [25], signIn: [587, 993, 3000] };

function table(changes: Partial<Isolation> = {}, relay: number | null = null): string {
  const allow = ["198.51.100.65/32", "2001:db8:1::/48"].map(net);
  const whole: Isolation = { incident: "x", since: "", allow, ssh: [22], shut: ["receive", "sign-in", "send"] };
  return nftIsolate({ ...whole, ...changes }, { ...PORTS, relay });
}

test("SSH at a port of ours stays open", () => {
  const lines = table({ ssh: [22, 993] }).split("\n");
  assert.ok(lines.includes("    tcp dport { 25, 587, 3000 } goto refuse"), lines.join("\n"));
});

test("all but administrators, loopback and SSH are refused, and no mail leaves", () => {
  assert.equal(
    table(),
    `add table inet ghostinbox_isolation
delete table inet ghostinbox_isolation
table inet ghostinbox_isolation {
  counter refused { }
  set allow4 { type ipv4_addr; flags interval; auto-merge; elements = { 198.51.100.65/32 } }
  set allow6 { type ipv6_addr; flags interval; auto-merge; elements = { 2001:db8:1::/48 } }
  chain refuse {
    limit rate 200/second counter name refused reject with tcp reset
    counter name refused drop
  }
  chain input {
    type filter hook input priority filter - 20; policy accept;
    iif lo accept
    ip saddr @allow4 accept
    ip6 saddr @allow6 accept
    tcp dport { 25, 587, 993, 3000 } goto refuse
    tcp dport != { 22 } tcp flags & (syn | ack) == syn goto refuse
  }
  chain output {
    type filter hook output priority filter - 20; policy accept;
    oif lo accept
    tcp dport 25 counter name refused reject with tcp reset
  }
}
`,
  );
});

test("lifting a part opens its ports, and only lifting the last one opens all others", () => {
  const receives = table({ shut: ["sign-in", "send"] });
  assert.match(receives, /tcp dport \{ 587, 993, 3000 \} goto refuse\n {4}tcp dport != \{ 22, 25 \} tcp flags/);
  const sends = table({ shut: ["receive"] });
  assert.match(sends, /tcp dport \{ 25 \} goto refuse\n {4}tcp dport != \{ 22, 587, 993, 3000 \} tcp flags/);
  assert.doesNotMatch(sends, /chain output/);
  const holds = table({ shut: ["send"] });
  assert.doesNotMatch(holds, /goto refuse/);
  assert.match(holds, /chain output/);
});

test("before the settings are read, everything that is not open is closed, whatever the ports", () => {
  const unread = nftIsolate({ ...ISOLATION, shut: ["sign-in"] }, { smtp: [25], signIn: [], relay: null });
  assert.match(unread, /^ {4}tcp dport != \{ 22, 25 \} tcp flags & \(syn \| ack\) == syn goto refuse$/m);
});

test("without an address and without SSH every connection is blocked", () => {
  const text = table({ allow: [], ssh: [] });
  assert.match(text, /set allow4 \{ type ipv4_addr; flags interval; auto-merge; \}/);
  assert.match(text, /^ {4}tcp flags & \(syn \| ack\) == syn goto refuse$/m);
});

test("a flushed table or chain is not in force", () => {
  const isolated = table();
  const flushed = (chain: RegExp): string => isolated.replace(chain, (_, head: string) => `${head}  }\n`);
  assert.ok(isComplete(isolated));
  assert.ok(isComplete(table({ shut: ["send"] })));
  const emptied = [/(chain refuse \{\n)[^}]*\}\n/, /(chain (?:in|out)put \{\n.*\n)(?: {4}.*\n)*? {2}\}\n/];
  for (const chain of emptied) {
    assert.notEqual(flushed(chain), isolated);
    assert.ok(!isComplete(flushed(chain)), flushed(chain));
  }
  assert.ok(!isComplete(""));
});

test("Postfix does not reach the relay, but the guard's alerts may", () => {
  assert.match(table({}, 587), /^ {4}meta skuid postfix tcp dport 587 counter name refused reject with tcp reset$/m);
});
