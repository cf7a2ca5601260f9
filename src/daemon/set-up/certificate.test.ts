import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { layoutOf } from "../../settings/layout.ts";
import { loadSettings } from "../../settings/load.ts";
import { prepareCertificate, problemWith } from "./certificate.ts";

const directory = mkdtempSync(join(tmpdir(), "ghostinbox-tls-"));
after(() => rmSync(directory, { recursive: true, force: true }));

async function selfSigned(name: string): Promise<ReturnType<typeof layoutOf>> {
  const layout = layoutOf(join(directory, name));
  mkdirSync(layout.tls, { recursive: true });
  const loaded = loadSettings('domains = ["example.org"]', {});
  assert.ok(loaded.ok);
  await prepareCertificate(loaded.settings, layout);
  return layout;
}

test("the first start signs a certificate for the host name; the next keeps it", async () => {
  const layout = await selfSigned("one");
  const pem = readFileSync(layout.tlsCert, "utf8");
  const certificate = new X509Certificate(pem);
  assert.equal(certificate.subjectAltName, "DNS:mail.example.org");
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
  assert.equal(statSync(layout.tlsKey).mode & 0o777, 0o600);
  await selfSigned("one");
  assert.equal(readFileSync(layout.tlsCert, "utf8"), pem);
});

test("files that Postfix could not use are told apart", async () => {
  const [a, b] = [await selfSigned("a"), await selfSigned("b")];
  assert.equal(problemWith({ cert: a.tlsCert, key: a.tlsKey }), null);
  assert.match(problemWith({ cert: a.tlsCert, key: b.tlsKey }) ?? "", /does not belong to the certificate/);
  assert.match(problemWith({ cert: join(directory, "none"), key: a.tlsKey }) ?? "", /does not exist/);
  const broken = join(directory, "broken.pem");
  writeFileSync(broken, "hello");
  assert.match(problemWith({ cert: broken, key: a.tlsKey }) ?? "", /must hold a certificate and its key in PEM/);
});
