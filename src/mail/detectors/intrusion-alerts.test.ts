import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { instant } from "../../core/time.ts";
import { readPsad, readSuricata } from "./intrusion-alerts.ts";

/** The text of psad 2.4.6 (sub scan_logr), as rsyslog of Debian 12 writes it, and as older versions do. */
const SCAN =
  "scan detected (Nmap: [-sT or -sS scan]): 198.51.100.7 -> 203.0.113.25 tcp: [1-1024] flags: SYN tcp pkts: 1024 DL: 4 total scan dsts: 1";
const ISO = "2026-11-20T08:15:00.123456+00:00 mail psad: ";
const TRADITIONAL = "Nov 20 08:15:00 mail psad[812]: ";
const NOW = instant(Date.parse("2026-11-20T08:16:00Z"));
const read = (line: string, level = 3) => readPsad(line, level, NOW);

test("a scan is read with its address, its time and its text", () => {
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
  test(`a line ${what} is not a scan`, () => {
    assert.equal(read(line), null);
  });

test("any text is read without an error", () => {
  fc.assert(fc.property(fc.string({ unit: ANY_CHARACTER }), (text) => void read(`${ISO}scan detected ${text}`)));
  assert.equal(read(`${ISO}scan detected ${"(".repeat(100_000)}`), null);
});

/** A shortened alert about a client of port 25, in the form that Suricata 7 documents (Eve JSON Format). */
const EVE = {
  timestamp: "2026-11-20T08:15:00.251547+0100",
  event_type: "alert",
  src_ip: "198.51.100.7",
  src_port: 50_096,
  dest_ip: "203.0.113.25",
  dest_port: 25,
  proto: "TCP",
  metadata: { flowbits: ["smtp.seen"] },
  alert: { action: "allowed", signature_id: 2_018_358, signature: "LOCAL SMTP overlong command", severity: 1 },
  app_proto: "smtp",
  direction: "to_server",
};

const line = (changes: object = {}): string => JSON.stringify({ ...EVE, ...changes });
const withAlert = (changes: object): string => line({ alert: { ...EVE.alert, ...changes } });

test("an alert is read with its address, its time, its signature and its severity", () => {
  assert.deepEqual(readSuricata(line(), 2), {
    ip: "198.51.100.7",
    at: Date.parse("2026-11-20T07:15:00.251Z"),
    text: "2018358 LOCAL SMTP overlong command, severity 1, port 25",
  });
  assert.equal(readSuricata(line({ src_ip: "2001:db8::7" }), 2)?.ip, "2001:db8::7");
});

test("an alert of lower severity does not count", () => {
  assert.ok(readSuricata(withAlert({ severity: 2 }), 2) !== null);
  assert.equal(readSuricata(withAlert({ severity: 3 }), 2), null);
});

for (const [what, changes] of [
  ["over UDP", { proto: "UDP" }],
  ["of a connection whose contents were not seen", { app_proto: undefined }],
  ["of a connection whose protocol was not recognized", { app_proto: "failed" }],
] as const)
  test(`an alert ${what} does not count: its address can be forged`, () => {
    assert.equal(readSuricata(line(changes), 2), null);
  });

test("a server's answer counts neither against the client that it answered nor against a server that we asked", () => {
  assert.equal(readSuricata(line({ direction: "to_client" }), 2), null);
  const older = { direction: undefined, src_port: 25, dest_port: 50_096 };
  assert.equal(readSuricata(line(older), 2), null, "Suricata 6 does not say the direction");
  assert.ok(readSuricata(line({ direction: undefined }), 2) !== null);
});

test("a stranger's text cannot become an alert about another address", () => {
  const forged = `x","src_ip":"203.0.113.99","event_type":"alert`;
  const http = { url: `/${forged}`, http_user_agent: `\n${line({ src_ip: "203.0.113.99" })}\n` };
  const written = line({ event_type: "http", http });
  for (const part of written.split("\n")) assert.equal(readSuricata(part, 4), null);
  for (let cut = 1; cut < written.length; cut++) assert.equal(readSuricata(written.slice(cut), 4), null);
  assert.equal(readSuricata(withAlert({ signature: forged }), 2)?.ip, "198.51.100.7");
});

test("other lines raise no alert", () => {
  const wrong = [line({ src_ip: "nobody" }), line({ timestamp: "now" }), line({ payload: "x".repeat(200_000) })];
  for (const text of ["", "{", "null", '{"event_type":"alert"}', ...wrong])
    assert.equal(readSuricata(text, 4), null, text.slice(0, 60));
  fc.assert(
    fc.property(fc.string({ unit: ANY_CHARACTER }), fc.jsonValue(), (text, value) => {
      assert.equal(readSuricata(`"alert"${text}`, 4), null);
      for (const key of Object.keys(EVE)) readSuricata(line({ [key]: value }), 4);
    }),
  );
});
