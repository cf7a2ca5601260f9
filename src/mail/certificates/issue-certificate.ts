import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readOr } from "../../core/error.ts";
import { instant, type Millis } from "../../core/time.ts";
import { readNamed, writeFile } from "../../host/root-files/files.ts";
import { makeDirectory } from "../../host/root-files/trees.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";

/** Enough for any chain. */
const MOST_BYTES = 1024 * 1024;

/** Absolute paths of PEM files. */
export type CertificateFiles = Readonly<{ cert: string; key: string }>;

export function certificateFiles(settings: Settings, layout: Layout): CertificateFiles {
  const own = settings["tls.cert"] !== "" && settings["tls.key"] !== "";
  return own ? { cert: settings["tls.cert"], key: settings["tls.key"] } : { cert: layout.tlsCert, key: layout.tlsKey };
}
/** PEM with nothing else in it: Postfix refuses a chain file with a second key. */
type Pair = Readonly<{ cert: string; key: string; validTo: Millis }>;
type ReadPair = Readonly<{ ok: true; pair: Pair }> | Readonly<{ ok: false; reason: string; isExpired: boolean }>;

/** A certificate chain and its key that Postfix and Dovecot can use now, or one sentence why they cannot. */
export function readPair({ cert, key }: CertificateFiles, now: Millis): ReadPair {
  const certText = readOr(() => readNamed(cert, MOST_BYTES).toString(), null);
  const keyText = readOr(() => readNamed(key, MOST_BYTES).toString(), null);
  if (certText === null) return wrong(`The file ${cert} of tls.cert does not exist or cannot be read.`);
  if (keyText === null) return wrong(`The file ${key} of tls.key does not exist or cannot be read.`);
  const blocks = certText.match(/-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]+-----END \1-----/g) ?? [];
  const chain = readOr(() => blocks.map((block) => new X509Certificate(block)), []);
  if (chain.length === 0) return wrong(`${cert} must hold a certificate in PEM.`);
  const privateKey = readOr(() => createPrivateKey(keyText), null);
  if (privateKey === null) return wrong(`${key} must hold a private key in PEM, without a passphrase.`);
  const [leaf, ...others] = chain;
  if (leaf === undefined || !leaf.checkPrivateKey(privateKey)) {
    const misplaced = others.some((one) => one.checkPrivateKey(privateKey));
    return wrong(
      misplaced
        ? `The server's own certificate must be the first in ${cert}.`
        : `The key ${key} does not belong to the certificate ${cert}.`,
    );
  }
  const validTo = instant(leaf.validToDate.getTime());
  if (now > validTo) return wrong(`The certificate ${cert} expired on ${day(leaf.validToDate)}.`, true);
  if (now < leaf.validFromDate.getTime())
    return wrong(`The certificate ${cert} is not valid before ${day(leaf.validFromDate)}.`);
  const misordered = chain.findIndex((one, i) => i > 0 && !(chain[i - 1]?.checkIssued(one) ?? false));
  if (misordered > 0)
    return wrong(
      `Certificate ${misordered + 1} in ${cert} did not issue the one before it; the chain must be in order.`,
    );
  const pem = { cert: chain.join(""), key: privateKey.export({ type: "pkcs8", format: "pem" }) };
  return { ok: true, pair: { ...pem, validTo } };
}

/** The files that Postfix and Dovecot read: copies that match each other, so that no server uses a half-written renewal. */
export function servedFiles({ tlsServed }: Layout): CertificateFiles & Readonly<{ chain: string }> {
  const at = (name: string): string => join(tlsServed, name);
  return { chain: at("chain.pem"), cert: at("cert.pem"), key: at("key.pem") };
}

/** Whether Postfix and Dovecot use exactly this pair. */
export function isServed({ cert, key }: Pair, layout: Layout): boolean {
  const { chain } = servedFiles(layout);
  return existsSync(chain) && readFileSync(chain, "utf8") === chainOf(cert, key);
}

/** Copies a pair to where Postfix and Dovecot read it. Only root can read the files, and each is complete at any time. */
export function serve({ cert, key }: Pair, layout: Layout): void {
  makeDirectory(layout.tlsServed, 0o700);
  const files = servedFiles(layout);
  // The chain is written last, so its presence shows that all of them exist.
  const texts = { key, cert, chain: chainOf(cert, key) };
  for (const name of ["key", "cert", "chain"] as const) writeFile(files[name], texts[name], { mode: 0o600 });
}

/** Postfix reads key and chain from one file, the key first (postconf(5), smtpd_tls_chain_files). */
function chainOf(cert: string, key: string): string {
  return key + cert;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function wrong(reason: string, isExpired = false): ReadPair {
  return { ok: false, reason, isExpired };
}
