import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { selfSigned } from "../../../test/kit/own-certificate.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import type { Layout } from "../../settings/layout.ts";
import { prepareCertificate } from "./certificate.ts";

const OPENSSL = { skip: lacking({ installed: ["openssl"] }) };
const fresh = () => temporaryLayout("tlsCert");

function prepare(layout: Layout, settings = ""): Promise<string | null> {
  return prepareCertificate(settingsWith(settings), layout);
}

test("the first start signs a certificate for the host name; the next keeps it", OPENSSL, async () => {
  const layout = fresh();
  assert.equal(await prepare(layout), null);
  const pem = readFileSync(layout.tlsCert, "utf8");
  const certificate = new X509Certificate(pem);
  assert.equal(certificate.subjectAltName, "DNS:mail.example.org");
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
  assert.equal(statSync(layout.tlsKey).mode & 0o777, 0o600);
  assert.equal(await prepare(layout), null);
  assert.equal(readFileSync(layout.tlsCert, "utf8"), pem);
});

test("a self-signed certificate that has lost its key is made again, and no other", OPENSSL, async () => {
  const [layout, other] = [fresh(), fresh()];
  for (const one of [layout, other]) await prepare(one);
  writeFileSync(layout.tlsKey, readFileSync(other.tlsKey));
  assert.equal(await prepare(layout), null);
  assert.notDeepEqual(readFileSync(layout.tlsKey), readFileSync(other.tlsKey));
  writeFileSync(layout.tlsCert, "hello");
  assert.match((await prepare(layout)) ?? "", /must hold a certificate in PEM/);
});

test("a clock that is behind voids no certificate that clients trust", OPENSSL, async (t) => {
  const layout = fresh();
  await prepare(layout);
  const pem = readFileSync(layout.tlsCert, "utf8");
  t.mock.method(Date, "now", () => 0);
  for (const settings of ["", `hostname = "mx.example.org"`])
    assert.match((await prepare(layout, settings)) ?? "", /The certificate of the last start is served instead\./);
  assert.equal(readFileSync(layout.tlsCert, "utf8"), pem);
});

test("if no other certificate can be made, the last one is served, and the owner is told", OPENSSL, async () => {
  const layout = fresh();
  await prepare(layout);
  const pem = readFileSync(layout.tlsCert, "utf8");
  rmSync(layout.tlsKey);
  mkdirSync(layout.tlsKey);
  const says = await prepare(layout, `hostname = "mx.example.org"`);
  assert.match(says ?? "", /key\.pem.*\. The certificate of the last start is served instead\.$/);
  assert.equal(readFileSync(join(layout.tlsServed, "cert.pem"), "utf8"), pem);
});

test("a new host name gets another certificate, and the seed's ciphers the RSA key they need", OPENSSL, async () => {
  const layout = fresh();
  const served = async (settings: string): Promise<X509Certificate> => {
    assert.equal(await prepare(layout, settings), null);
    return new X509Certificate(readFileSync(join(layout.tlsServed, "cert.pem")));
  };
  const named = `hostname = "mx.example.org"`;
  await served("");
  assert.equal((await served(named)).subjectAltName, "DNS:mx.example.org");
  const rsa = await served(`${named}\n[tls]\nprofile = "seed"`);
  assert.equal(rsa.publicKey.asymmetricKeyType, "rsa");
  assert.equal((await served(named)).serialNumber, rsa.serialNumber, "its key works with all ciphers");
});

test("a certificate that another authority issued stays, whatever it names", OPENSSL, async () => {
  const layout = fresh();
  const { cert, key } = selfSigned("mail.example.net");
  writeFileSync(layout.tlsCert, cert);
  writeFileSync(layout.tlsKey, key);
  assert.equal(await prepare(layout), null);
  assert.equal(readFileSync(layout.tlsCert, "utf8"), cert);
});

test("a bad certificate stops the first start; later the served one is kept", OPENSSL, async () => {
  const [layout, other] = [fresh(), fresh()];
  const [cert, key] = [join(layout.data, "own.pem"), join(layout.data, "own-key.pem")];
  const settings = `[tls]\ncert = "${cert}"\nkey = "${key}"`;
  await assert.rejects(prepare(layout, settings), /own\.pem of tls\.cert does not exist/);
  assert.ok(!existsSync(layout.tlsCert));
  await prepare(other);
  writeFileSync(cert, readFileSync(other.tlsCert));
  writeFileSync(key, readFileSync(other.tlsKey));
  assert.equal(await prepare(layout, settings), null);
  writeFileSync(cert, "hello");
  assert.match((await prepare(layout, settings)) ?? "", /must hold a certificate in PEM\. The certificate of the last/);
});
