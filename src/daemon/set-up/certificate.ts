import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmodSync, existsSync, readFileSync, renameSync } from "node:fs";
import { lastLines, runProgram } from "../../adapters/run-program.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { certificateFiles } from "../site.ts";
import { SetUpFailure } from "./failure.ts";

/** The longest that browsers and phones accept, and what most mail programs remember an exception for. */
const DAYS = 825;

/** Makes a self-signed certificate if none is set, and makes sure that the one in use is one. */
export async function prepareCertificate(settings: Settings, layout: Layout): Promise<void> {
  const files = certificateFiles(settings, layout);
  if (files.cert === layout.tlsCert && !(existsSync(files.cert) && existsSync(files.key)))
    await selfSign(layout, settings.hostname);
  const problem = problemWith(files);
  if (problem !== null) throw new SetUpFailure(problem);
}

/** One sentence where Postfix and Dovecot could not use these files; null where they can. */
export function problemWith({ cert, key }: Readonly<{ cert: string; key: string }>): string | null {
  for (const file of [cert, key])
    if (!existsSync(file)) return `The file ${file} of tls.cert and tls.key does not exist.`;
  try {
    const certificate = new X509Certificate(readFileSync(cert));
    return certificate.checkPrivateKey(createPrivateKey(readFileSync(key)))
      ? null
      : `The key ${key} does not belong to the certificate ${cert}.`;
  } catch {
    return `${cert} and ${key} must hold a certificate and its key in PEM, without a passphrase.`;
  }
}

async function selfSign(layout: Layout, hostname: string): Promise<void> {
  const cert = `${layout.tlsCert}.new`;
  const key = `${layout.tlsKey}.new`;
  const names = ["-subj", "/CN=mail server", "-addext", `subjectAltName=DNS:${hostname}`];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", String(DAYS)];
  const made = await runProgram("openssl", ["req", ...kind, ...names, "-keyout", key, "-out", cert]);
  if (made.code !== 0) throw new SetUpFailure(`openssl could not make a certificate: ${lastLines(made)}`);
  for (const file of [key, cert]) chmodSync(file, 0o600);
  renameSync(key, layout.tlsKey);
  renameSync(cert, layout.tlsCert);
}
