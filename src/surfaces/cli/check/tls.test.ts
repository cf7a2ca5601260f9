import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createServer } from "node:tls";
import { listenOnPort } from "../../../../test/kit/local-server.ts";
import { saying, servedPort } from "../../../../test/kit/served.ts";
import { selfSigned } from "../../../../test/kit/speaker.ts";
import { DAY_MS } from "../../../core/time.ts";
import { type Handshake, handshake, OFFERS } from "../../../mail/probes/port-dialogue.ts";
import { judgeChain, judgeDays, judgeModern, judgeName, judgeOld, judgeSame } from "./tls.ts";

const OPTIONS = { localAddress: "127.0.0.1", servername: "mail.example.org", timeoutMs: 5_000 };
const NOW = Date.parse("2026-11-21T08:00:00Z");

function failure(code: string, stage: "connect" | "tls"): Handshake {
  return { ok: false, code, says: "it failed", stage };
}

test("a modern server refuses TLS 1.1 and accepts a newer version", async () => {
  const files = await selfSigned();
  const port = await listenOnPort(createServer({ ...files, minVersion: "TLSv1.2" }));
  const today = { name: "IMAPS", tlsStart: "at_once", goodbye: "", port } as const;
  assert.equal(judgeOld("IMAPS", await handshake(today, { ...OPTIONS, offer: OFFERS.old })).state, "ok");
  const shaken = await handshake(today, OPTIONS);
  assert.equal(judgeModern("IMAPS", shaken).state, "ok");
  assert.ok(shaken.ok);
  const certificate = shaken.certificate ?? assert.fail();
  assert.equal(judgeName("mail.example.org", certificate).state, "ok");
  assert.equal(certificate.fingerprint256, new X509Certificate(files.cert).fingerprint256);
});

test("an attempt that proves nothing is unknown: no server, or a version that our own OpenSSL lacks", async () => {
  assert.equal(judgeOld("SMTP", failure("ECONNREFUSED", "connect")).state, "unknown");
  assert.equal(judgeOld("SMTP", failure("ETIMEDOUT", "tls")).state, "unknown");
  assert.equal(judgeOld("SMTP", failure("ERR_SSL_NO_PROTOCOLS_AVAILABLE", "tls")).state, "unknown");
  assert.equal(judgeOld("SMTP", failure("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "tls")).state, "ok");
  const plain = { name: "SMTP", port: await servedPort(saying("220 a\r\n250 b\r\n502 no\r\n")), goodbye: "" } as const;
  const shaken = await handshake({ ...plain, tlsStart: "starttls" }, OPTIONS);
  assert.deepEqual([shaken.ok, judgeModern("SMTP", shaken).state], [false, "wrong"]);
});

test("days left, the chain, and the same certificate everywhere", () => {
  assert.equal(judgeDays(NOW + 30 * DAY_MS, NOW).state, "ok");
  assert.equal(judgeDays(NOW + 13 * DAY_MS, NOW).state, "warning");
  assert.equal(judgeChain(null, "an authority").state, "ok");
  assert.equal(judgeSame(new Map([["SMTP", "AA"]]), "AA").state, "ok");
});
