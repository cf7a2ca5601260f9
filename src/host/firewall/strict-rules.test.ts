import assert from "node:assert/strict";
import { test } from "node:test";
import { opening } from "../../../test/kit/samples.ts";
import { nftStrict, parseStrict } from "./strict-rules.ts";

const OLD = opening(["22/tcp4", "25/tcp", "60000-61000/udp"], ["br-*"]);
const NEW = opening(["22/tcp"]);

/** The table as nft(8) 1.0.6 prints it, with tabs, quotes and the remaining time. */
function listed(text: string, expires = "1m59s996ms"): string {
  return text
    .slice(text.indexOf("table inet ghostinbox_strict {"))
    .replaceAll("tcp flags & (ack | rst) != 0", "tcp flags rst,ack")
    .replace("iif lo", 'iif "lo"')
    .replaceAll(/timeout (\d+s)/g, expires === "" ? "" : `timeout $1 expires ${expires}`)
    .replaceAll("{ udp, udplite, sctp, dccp }", "{ udp, dccp, sctp, udplite }");
}

test("a trial is in force until its time runs out, and the confirmed firewall afterwards", () => {
  const both = nftStrict(OLD, { opening: NEW, timeoutS: 120 });
  assert.match(both, /elements = \{ ipv4 timeout 120s, ipv6 timeout 120s \}/);
  assert.deepEqual(parseStrict(listed(both)), { open: NEW, remainingS: 120, faults: [] });
  assert.deepEqual(parseStrict(listed(both, "")), { open: OLD, remainingS: null, faults: [] });
  const first = nftStrict(null, { opening: NEW, timeoutS: 120 });
  assert.deepEqual(parseStrict(listed(first, "")), { open: null, remainingS: null, faults: [] });
  assert.equal(parseStrict(listed(first, "1h1s"))?.remainingS, 3_601);
});

test("answers to DHCP pass even where all else is refused, so that the machine keeps its address", () => {
  const lines = nftStrict(NEW, null).split("\n");
  for (const rule of ["udp sport 67 udp dport 68 accept", "ip6 daddr fe80::/10 udp dport 546 accept"])
    assert.ok(lines.includes(`    ${rule}`), rule);
});

test("a missing table is null, and changes by others are reported", () => {
  assert.equal(parseStrict(""), null);
  assert.equal(parseStrict("Error: No such file or directory\n"), null);
  const text = listed(nftStrict(OLD, null));
  for (const [line, changed, fault] of [
    ["    goto confirmed", "    accept\n    goto confirmed", "accept"],
    ["    tcp dport 25", "    ip saddr 10.0.0.0/8 accept\n    tcp dport 25", "ip saddr 10.0.0.0/8 accept"],
    ["    meta l4proto tcp reject with tcp reset\n", "", "connections to other ports are not refused"],
    [/type filter hook input.*/, "", "the chain input is not hooked"],
  ] as const)
    assert.deepEqual(parseStrict(text.replace(line, changed))?.faults, [fault]);
  assert.deepEqual(parseStrict("table inet ghostinbox_strict {\n}\n")?.faults, ["no chain input"]);
});
