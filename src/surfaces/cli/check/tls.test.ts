import assert from "node:assert/strict";
import { test } from "node:test";
import { saying, servedPort } from "../../../../test/kit/served.ts";
import { DAY_MS } from "../../../core/time.ts";
import { type Handshake, handshake } from "../../../mail/probes/port-dialogue.ts";
import { judgeChain, judgeDays, judgeModern, judgeOld } from "./tls.ts";

const OPTIONS = { localAddress: "127.0.0.1", servername: "mail.example.org", timeoutMs: 5_000 };
const NOW = Date.parse("2026-11-21T08:00:00Z");

function failure(code: string, stage: "connect" | "tls"): Handshake {
  return { ok: false, code, says: "it failed", stage };
}

test("an attempt that proves nothing is unknown: no server, or a version that our own OpenSSL lacks", async () => {
  assert.equal(judgeOld("SMTP", failure("ECONNREFUSED", "connect")).state, "unknown");
  assert.equal(judgeOld("SMTP", failure("ETIMEDOUT", "tls")).state, "unknown");
  assert.equal(judgeOld("SMTP", failure("ERR_SSL_NO_PROTOCOLS_AVAILABLE", "tls")).state, "unknown");
  assert.equal(judgeOld("SMTP", failure("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "tls")).state, "ok");
  const plain = { name: "SMTP", port: await servedPort(saying("220 a\r\n250 b\r\n502 no\r\n")), goodbye: "" } as const;
  const shaken = await handshake({ ...plain, tlsStart: "starttls" }, OPTIONS);
  assert.deepEqual([shaken.ok, judgeModern("SMTP", shaken).state], [false, "wrong"]);
});

test("days left, and the chain", () => {
  assert.equal(judgeDays(NOW + 30 * DAY_MS, NOW).state, "ok");
  assert.equal(judgeDays(NOW + 13 * DAY_MS, NOW).state, "warning");
  assert.equal(judgeChain(null, "an authority").state, "ok");
});
