import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentOf } from "../../../test/kit/files.ts";
import { selfSigned } from "../../../test/kit/own-certificate.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS, instant, later, type Millis } from "../../core/time.ts";
import { layoutOf } from "../../settings/layout.ts";
import { createCertificateFollower } from "./follow-certificate.ts";
import { type CertificateFiles, isServed, readPair, serve, servedFiles } from "./issue-certificate.ts";

const directory = temporaryDirectory();

/** A certificate that was made in the current second is valid by then. */
function soon(): Millis {
  return instant(Date.now() + 60_000);
}

function openssl(...argv: readonly string[]): void {
  execFileSync("openssl", argv, { stdio: "pipe" });
}

async function filesOf(name: string): Promise<CertificateFiles> {
  const files = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}-key.pem`) };
  const made = selfSigned(name);
  for (const part of ["cert", "key"] as const) writeFileSync(files[part], made[part]);
  return files;
}

function reason(files: CertificateFiles, at = soon()): string {
  const read = readPair(files, at);
  return read.ok ? "" : read.reason;
}

const ENDED = ["certificate_expiring", "certificate_expired"];
const [a, b] = [await filesOf("a"), await filesOf("b")];

test("a pair that Postfix and Dovecot could not serve is refused with one sentence that names the file", () => {
  const broken = join(directory, "broken.pem");
  writeFileSync(broken, "hello");
  const both = join(directory, "both.pem");
  writeFileSync(both, contentOf(b.cert) + contentOf(a.cert));
  const stray = join(directory, "stray.pem");
  writeFileSync(stray, contentOf(a.cert) + contentOf(b.cert));
  assert.match(reason({ cert: join(directory, "none"), key: a.key }), /none of tls\.cert does not exist or cannot/);
  assert.match(reason({ cert: a.cert, key: directory }), /of tls\.key does not exist or cannot be read\.$/);
  const pipe = join(directory, "pipe.pem");
  execFileSync("mkfifo", [pipe]);
  assert.match(reason({ cert: pipe, key: a.key }), /pipe\.pem of tls\.cert does not exist or cannot be read\.$/);
  assert.match(reason({ cert: broken, key: a.key }), /broken\.pem must hold a certificate in PEM\.$/);
  assert.match(reason({ cert: a.cert, key: broken }), /broken\.pem must hold a private key in PEM/);
  assert.match(reason({ cert: a.cert, key: b.key }), /^The key .*b-key\.pem does not belong to .*a\.pem\.$/);
  assert.match(reason({ cert: both, key: a.key }), /own certificate must be the first in .*both\.pem\.$/);
  assert.match(reason({ cert: stray, key: a.key }), /^Certificate 2 in .*stray\.pem did not issue the one before it/);
  assert.match(reason(a, later(soon(), 31 * DAY_MS)), /a\.pem expired on \d{4}-\d\d-\d\d\.$/);
  assert.match(reason(a, later(soon(), -DAY_MS)), /a\.pem is not valid before \d{4}-\d\d-\d\d\.$/);
});

test("a valid chain is used completely, whichever PEM label its certificates have", async () => {
  const authority = await filesOf("authority");
  const at = (name: string): string => join(directory, name);
  const [request, cert, key] = [at("request.pem"), at("leaf.pem"), at("leaf-key.pem")];
  openssl("req", "-newkey", "rsa:2048", "-noenc", "-subj", "/CN=leaf", "-keyout", key, "-out", request);
  const issuer = ["-CA", authority.cert, "-CAkey", authority.key, "-days", "5"];
  openssl("x509", "-req", "-in", request, ...issuer, "-out", cert);
  const [leaf, plain] = [cert, authority.cert].map(contentOf);
  openssl("x509", "-in", authority.cert, "-trustout", "-addtrust", "serverAuth", "-out", at("trusted.pem"));
  const former = plain?.replaceAll(" CERTIFICATE", " X509 CERTIFICATE");
  const mismatched = plain?.replace("END CERTIFICATE", "END X509 CERTIFICATE");
  for (const issued of [plain, former, contentOf(at("trusted.pem")), `${mismatched}${plain}`]) {
    writeFileSync(cert, `${leaf}${issued}`);
    const read = readPair({ cert, key }, soon());
    assert.equal(read.ok && read.pair.cert, `${leaf}${plain}`);
  }
});

test("from a file with both key and chain, and from a traditional EC key, only a key and certificates are served", () => {
  const [both, ec] = [join(directory, "haproxy.pem"), join(directory, "ec.pem")];
  writeFileSync(both, `${contentOf(b.cert)}Bag Attributes\n${contentOf(b.key).trimEnd()}`);
  const curve = ["-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", `${ec}.new`];
  openssl("req", "-x509", "-newkey", "ec", ...curve, "-noenc", "-subj", "/CN=ec", "-out", `${ec}.cert`);
  openssl("ecparam", "-name", "prime256v1", "-out", `${ec}.params`);
  openssl("ec", "-in", `${ec}.new`, "-out", ec);
  writeFileSync(ec, contentOf(`${ec}.params`) + contentOf(ec) + contentOf(`${ec}.cert`));
  for (const file of [both, ec]) {
    const read = readPair({ cert: file, key: file }, soon());
    assert.ok(read.ok);
    serve(read.pair, layoutOf(join(directory, "haproxy")));
    const chain = contentOf(servedFiles(layoutOf(join(directory, "haproxy"))).chain);
    const blocks = chain.split("\n").filter((line) => !/^[A-Za-z0-9+/=]+$/.test(line));
    const pem = (what: string) => [`-----BEGIN ${what}-----`, `-----END ${what}-----`];
    assert.deepEqual(blocks, [...pem("PRIVATE KEY"), ...pem("CERTIFICATE"), ""]);
  }
});

test("a renewal is used once, a bad one is refused from the second check on, and the old certificate stays", async () => {
  const layout = layoutOf(join(directory, "data"));
  mkdirSync(layout.tls, { recursive: true });
  let reloads = 0;
  let fails: string | null = null;
  const now = soon();
  let at: Millis = now;
  const reload = (): Promise<string | null> => {
    reloads += 1;
    return Promise.resolve(fails);
  };
  const parts = { layout, reload, clock: { now: () => at } };
  let follower = createCertificateFollower(parts);
  const files = { cert: join(directory, "live.pem"), key: join(directory, "live-key.pem") };
  const put = (from: CertificateFiles): void => {
    for (const name of ["cert", "key"] as const) writeFileSync(files[name], contentOf(from[name]));
  };
  const servesB = (): boolean => {
    const read = readPair(servedFiles(layout), now);
    return read.ok && isServed(read.pair, layout) && read.pair.cert === contentOf(b.cert);
  };

  put(a);
  assert.deepEqual(await follower.look(files), { fresh: contentOf(a.cert), failed: null });
  assert.deepEqual(await follower.look(files), { fresh: null, failed: null }, "it is in use");
  assert.equal(reloads, 1);
  put(b);
  fails = "postfix could not be reloaded";
  assert.deepEqual(await follower.look(files), { fresh: null, failed: fails });
  // The keeper ends before the reload, and starts again.
  follower = createCertificateFollower(parts);
  await follower.look(files);
  await follower.look(files);
  assert.deepEqual(follower.troubles(), [{ code: "certificate_refused", detail: fails }]);
  fails = null;
  await follower.look(files);
  assert.ok(servesB());
  assert.equal(reloads, 5);
  assert.deepEqual(follower.troubles(), []);

  writeFileSync(files.key, contentOf(a.key));
  await follower.look(files);
  assert.deepEqual(follower.troubles(), [], "a renewal may be half written");
  await follower.look(files);
  assert.equal(follower.troubles()[0]?.code, "certificate_refused");
  assert.ok(servesB());
  put(b);
  await follower.look(files);
  assert.deepEqual([follower.troubles(), reloads], [[], 5]);

  at = later(now, 25 * DAY_MS);
  await follower.look(files);
  assert.deepEqual(codesOf(follower), ["certificate_expiring"]);
  at = later(now, 29.5 * DAY_MS);
  await follower.look(files);
  assert.match(follower.troubles()[0]?.detail ?? "", /: 0 days left$/);
  at = later(now, 31 * DAY_MS);
  const restarted = createCertificateFollower({ layout, reload, clock: { now: () => at } });
  for (const one of [follower, restarted]) {
    await one.look(files);
    await one.look(files);
    assert.deepEqual(codesOf(one), ENDED);
  }
  // The reason why the renewal is not used must be shown too.
  writeFileSync(files.key, contentOf(a.key));
  for (const codes of [ENDED, ["certificate_refused", ...ENDED]]) {
    await follower.look(files);
    assert.deepEqual(codesOf(follower), codes);
  }
  put(b);
  await follower.look(files);
  assert.deepEqual(codesOf(follower), ENDED);
  at = now;
  await follower.look(files);
  assert.deepEqual(codesOf(follower), []);
});

function codesOf(follower: ReturnType<typeof createCertificateFollower>): readonly string[] {
  return follower.troubles().map(({ code }) => code);
}
