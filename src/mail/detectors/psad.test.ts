import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { instant } from "../../core/time.ts";
import { readPsad } from "./intrusion-alerts.ts";

/** The words of psad 2.4.6 (sub scan_logr), as rsyslog of Debian 12 writes them, and as older ones do. */
const SCAN =
  "scan detected (Nmap: [-sT or -sS scan]): 198.51.100.7 -> 203.0.113.25 tcp: [1-1024] flags: SYN tcp pkts: 1024 DL: 4 total scan dsts: 1";
const ISO = "2026-11-20T08:15:00.123456+00:00 mail psad: ";
const TRADITIONAL = "Nov 20 08:15:00 mail psad[812]: ";
const NOW = instant(Date.parse("2026-11-20T08:16:00Z"));
const read = (line: string, level = 3) => readPsad(line, level, NOW);

test("a scan names its address, its time and its words", () => {
  assert.deepEqual(read(ISO + SCAN), { ip: "198.51.100.7", at: Date.parse("2026-11-20T08:15:00.123Z"), text: SCAN });
  assert.equal(read(TRADITIONAL + SCAN)?.at, new Date(2026, 10, 20, 8, 15).getTime());
  assert.equal(read(ISO + SCAN.replace("198.51.100.7", "2001:db8::7"))?.ip, "2001:db8::7");
  assert.ok(read(ISO + SCAN.replace(/ \(.*\):/, "")) !== null, "without a style");
});

test("a scan below the danger level does not count", () => {
  assert.ok(read(ISO + SCAN, 4) !== null);
  assert.equal(read(ISO + SCAN, 5), null);
});

for (const [what, line] of [
  ["of another program that quotes one", `${ISO.replace("psad:", "sshd[9]: Invalid user x psad:")}${SCAN}`],
  ["whose tag only ends in its name", ISO.replace("psad", "xpsad") + SCAN],
  ["that continues after its end", `${ISO}${SCAN} DL: 5`],
  ["with a forged level before its own", ISO + SCAN.replace("DL: 4", "DL: 9")],
  ["without a source", ISO + SCAN.replace("198.51.100.7", "unknown")],
  ["of a signature", `${ISO}src: 198.51.100.7 signature match: "MISC VNC" (sid: 560) tcp port: 5800`],
  ["of its status", `${ISO}email limit reached for src: 198.51.100.7`],
  ["without a time", `psad: ${SCAN}`],
] as const)
  test(`a line ${what} is none`, () => {
    assert.equal(read(line), null);
  });

test("any text is read without an error", () => {
  fc.assert(fc.property(fc.string({ unit: ANY_CHARACTER }), (text) => void read(`${ISO}scan detected ${text}`)));
  assert.equal(read(`${ISO}scan detected ${"(".repeat(100_000)}`), null);
});
