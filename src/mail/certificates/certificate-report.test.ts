import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer as createPlain } from "node:net";
import { test } from "node:test";
import { createServer } from "node:tls";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { selfSigned } from "../../../test/kit/self-signed.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { certificateReport } from "./follow-certificate.ts";
import { servedFiles } from "./issue-certificate.ts";

const OPENSSL = { skip: lacking({ installed: ["openssl"] }) };

test("before the first certificate the report says that there is none", async () => {
  const reported = await certificateReport(layoutOf(temporaryDirectory()), [], []);
  assert.deepEqual(reported, { ok: false, reason: "No certificate is in use yet." });
});

test("reports the certificate with its names and its end, and the ports that serve it", OPENSSL, async () => {
  const layout = layoutOf(temporaryDirectory());
  const [served, other] = await Promise.all([selfSigned("mail.example.org"), selfSigned("other.example")]);
  mkdirSync(layout.tlsServed, { recursive: true });
  writeFileSync(servedFiles(layout).cert, served.cert);
  const good = await listenOnPort(createServer(served));
  const bad = await listenOnPort(createServer(other));
  const silent = await listenOnPort(createPlain((socket) => socket.end()));
  const reported = await certificateReport(
    layout,
    [good, bad, silent],
    [{ code: "certificate_expiring", detail: "soon" }],
  );
  assert.ok(reported.ok && reported.certificate !== undefined);
  const { names, isSelfSigned, notBefore, notAfter, trouble, ports } = reported.certificate;
  assert.deepEqual([names, isSelfSigned, trouble], [["mail.example.org"], true, "soon"]);
  assert.ok(notBefore < notAfter);
  assert.deepEqual(ports, [
    { port: good, isServed: true },
    { port: bad, isServed: false },
    { port: silent, isServed: null },
  ]);
  assert.doesNotMatch(JSON.stringify(reported), /PRIVATE/);
});
