import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync, rmSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { HandClock } from "../../../../test/kit/engine-kit.ts";
import { contentOf, put } from "../../../../test/kit/files.ts";
import { lacking } from "../../../../test/kit/needs.ts";
import { ownCertificate } from "../../../../test/kit/own-certificate.ts";
import { temporaryDirectory, temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { DAY_MS, MINUTE_MS } from "../../../core/time.ts";
import { servedFiles } from "../../../mail/certificates/issue-certificate.ts";
import { type CertificateSettings, createCertificateWatch } from "./watch-certificates.ts";

const HOOK = join(import.meta.dirname, "..", "..", "..", "..", "examples", "certspotter-hook");
const STRANGER = "33ac1d9b9e56005ccac045eac2398b3e9dd6b3f5b66ae6260f2d478c7c0d82c8";
/** As certspotter 0.16 sets them: the example of certspotter-script(8), without variables that the hook ignores. */
const CALL = {
  EVENT: "discovered_cert",
  WATCH_ITEM: ".example.org",
  PUBKEY_SHA256: STRANGER,
  CERT_SHA256: "3cdc83b3932c194fcdf17aa2bf1abc34e8438b293c3d5c70693e175b38ff128a",
  TBS_SHA256: "2388ee81c6f45cffc73e68a35fa8921e839e20acc9a98e8e6dcaea07cbfbdef8",
  ISSUER_DN: "C=GB, O=Sectigo Limited, CN=Sectigo RSA Domain Validation Secure Server CA",
  SUMMARY: "certificate discovered for .example.org",
};

function hashOfKey(cert: string): string {
  const key = new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("hex");
}

/** Runs the hook as certspotter does; the public logs cannot be reached here. */
describe("certificates that certspotter finds", { skip: lacking({ installed: ["openssl"] }) }, () => {
  function kit(settings: Partial<CertificateSettings> = {}) {
    const layout = temporaryLayout("servedKeys");
    const log = join(layout.data, "hook.log");
    put(log, "");
    const clock = new HandClock(Date.now());
    const inForce: { -readonly [Key in keyof CertificateSettings]: CertificateSettings[Key] } = {
      "certificates.log": log,
      "certificates.files": [],
      "certificates.known": [],
      ...settings,
    };
    const watch = createCertificateWatch(layout, clock, () => inForce);
    const serve = (): string => {
      const { cert } = ownCertificate(temporaryDirectory());
      put(servedFiles(layout).cert, cert);
      return hashOfKey(cert);
    };
    const called = (changes: Readonly<Record<string, string>> = {}): void => {
      execFileSync(HOOK, { env: { PATH: process.env["PATH"], ...CALL, ...changes, GHOSTINBOX_CERTIFICATES: log } });
    };
    const troubles = (afterMs = 0): readonly string[] => {
      clock.advance(afterMs);
      watch.look();
      return watch.troubles().map(({ code, detail }) => `${code}: ${detail}`);
    };
    return { layout, log, watch, inForce, serve, called, troubles };
  }

  test("a certificate with a foreign key is reported after a quarter of an hour, once together with its precertificate", () => {
    const { serve, called, troubles, watch } = kit();
    serve();
    called();
    called({ CERT_SHA256: "0".repeat(64) });
    assert.deepEqual(troubles(), []);
    const [reported = "", ...more] = troubles(16 * MINUTE_MS);
    assert.deepEqual(more, []);
    const foreign =
      /^certificate_unknown: for \.example\.org by C=GB, O=Sectigo Limited, CN=.*: key 33ac1d9b\w{56}, certificate 3cdc83b3\w{56}$/;
    assert.match(reported, foreign);
    assert.equal(troubles(30 * DAY_MS).length, 1, "until someone has checked it");
    const other = "b".repeat(64);
    called({ PUBKEY_SHA256: other });
    troubles();
    assert.deepEqual(watch.troubles()[0]?.about, [STRANGER, other], "each unknown key is a separate alert");
  });

  test("the server's own keys are known: the current one, the previous one, and one issued before its use", () => {
    const { serve, called, troubles } = kit();
    const first = serve();
    troubles();
    const second = serve();
    called({ PUBKEY_SHA256: first });
    called({ PUBKEY_SHA256: second });
    assert.deepEqual(troubles(16 * MINUTE_MS), []);
  });

  test("known keys include those of other services, by file through a link or by key, even after they were renewed", () => {
    const directory = temporaryDirectory();
    const key = hashOfKey(ownCertificate(directory).cert);
    symlinkSync("cert.pem", join(directory, "live.pem"));
    execFileSync("mkfifo", [join(directory, "pipe")]);
    const other = "a".repeat(64);
    const known = {
      "certificates.files": [join(directory, "pipe"), join(directory, "live.pem"), "/nowhere.pem"],
      "certificates.known": [other],
    };
    const { inForce, called, troubles } = kit(known);
    called({ PUBKEY_SHA256: key });
    called({ PUBKEY_SHA256: other });
    assert.deepEqual(troubles(16 * MINUTE_MS), []);
    inForce["certificates.known"] = [];
    const [reported = ""] = troubles();
    assert.match(reported, /key a{64}/);
    assert.doesNotMatch(reported, new RegExp(key), "it was noted");
  });

  test("a fault that keeps certspotter from watching is reported for a day", () => {
    const { called, troubles } = kit();
    called({ EVENT: "error", SUMMARY: "no log answers" });
    assert.deepEqual(troubles(), ["transparency_failing: certspotter says: no log answers"]);
    // The hook notes the machine's time, which is later than the kit's.
    assert.deepEqual(troubles(DAY_MS + MINUTE_MS), []);
  });

  test("text from a certificate or an attacker is one line, and cannot pass for a separate call", () => {
    const { called, troubles, log } = kit();
    called({ ISSUER_DN: `CN=x\n1\tdiscovered_cert\t.\t${"b".repeat(64)}\t${"c".repeat(64)}\tx\tx\t.\n\u001b[31m` });
    assert.equal(contentOf(log).split("\n").length, 2);
    const [reported = ""] = troubles(16 * MINUTE_MS);
    assert.match(reported, new RegExp(`key ${STRANGER}`));
    assert.doesNotMatch(reported, /key b{64}/);
    assert.ok(!reported.includes("\u001b"));
    assert.match(contentOf(log), /^\d+\tdiscovered_cert\t/);
  });

  test("an unknown certificate stays reported while the file is too long or missing, and ends with an empty one", () => {
    const { inForce, called, troubles, log, layout } = kit();
    called();
    assert.equal(troubles(16 * MINUTE_MS).length, 1);
    truncateSync(log, 5 * 1024 * 1024);
    assert.match(troubles().join("\n"), /^certificate_unknown: .*key 33ac1d9b.*\ntransparency_failing: .*is larger/);
    rmSync(log);
    const both =
      /^certificate_unknown: .*key 33ac1d9b.*\ntransparency_failing: .* does not exist\. The hook creates it/;
    assert.match(troubles().join("\n"), both);
    put(log, "");
    assert.deepEqual(troubles(), []);
    called();
    troubles();
    inForce["certificates.log"] = join(layout.data, "other.log");
    assert.match(troubles(16 * MINUTE_MS).join("\n"), /^transparency_failing: .*other\.log does not exist\. .*$/);
  });

  test("a certificate found while the clock is ahead is reported once the clock is right", () => {
    const { called, troubles } = kit();
    called();
    assert.equal(troubles(-30 * DAY_MS).length, 1);
  });

  test("a file that cannot be the hook's is not read, but reported", () => {
    const { troubles, layout } = kit({ "certificates.log": "/dev/zero" });
    assert.match(troubles()[0] ?? "", /: .*\/dev\/zero/);
    assert.equal(readFileSync(layout.servedKeys, { encoding: "utf8", flag: "a+" }), "");
  });
});
