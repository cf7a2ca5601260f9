import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { messageOf, readOr } from "../../core/error.ts";
import { asSentence } from "../../core/text.ts";
import { DAY_MS } from "../../core/time.ts";
import { systemClock as clock } from "../../host/machine/clock.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { readNamed, writeFile } from "../../host/root-files/files.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import { certificateFiles, readPair, serve, servedFiles } from "../../mail/certificates/issue-certificate.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";

/** The longest lifetime that browsers and phones accept. Most mail programs remember an exception for as long. */
const DAYS = 825;
const RENEW_BEFORE_MS = 30 * DAY_MS;
const SELF_SIGNED = "mail server";
const MOST_BYTES = 65_536;

/**
 * Creates a self-signed certificate if none is set, and gives Postfix and Dovecot a valid one. An invalid one stops the
 * first start. Later the previous pair stays in use, because mail matters more than a fresh certificate. Returns what
 * the owner should know in that case.
 */
export async function prepareCertificate(settings: Settings, layout: Layout): Promise<string | null> {
  const isFirst = !existsSync(servedFiles(layout).cert);
  const files = certificateFiles(settings, layout);
  let reason: string | null = null;
  try {
    await makeCertificate(settings, layout, isFirst ? "first_start" : "start");
  } catch (error) {
    if (isFirst) throw error;
    reason = messageOf(error);
  }
  const read = readPair(files, clock.now());
  if (read.ok) serve(read.pair, layout);
  else reason ??= read.reason;
  if (reason === null) return null;
  if (isFirst) throw new SetUpFailure(reason);
  return `${asSentence(reason)} The certificate of the last start is served instead.`;
}

/** While the server runs, a certificate that suits the settings is not renewed early: mail programs with an exception would warn. */
type When = "first_start" | "start" | "running";

/** Creates a self-signed certificate if the settings name no other, and the present one cannot be used. */
export async function makeCertificate(settings: Settings, layout: Layout, when: When): Promise<void> {
  const isOurs = certificateFiles(settings, layout).cert === layout.tlsCert;
  if (isOurs && mustBeMade(layout, settings, when)) await selfSign(layout, settings);
}

function mustBeMade(layout: Layout, settings: Settings, when: When): boolean {
  const files = { cert: layout.tlsCert, key: layout.tlsKey };
  if (!existsSync(files.cert) || !existsSync(files.key)) return true;
  const own = selfSigned(files.cert);
  if (own === null) return false;
  // A clock that is behind, as on a board without a battery, must not void what clients trust.
  if (own.validFromDate.getTime() > clock.now()) return when === "first_start";
  const isSuited = own.subjectAltName === `DNS:${settings.hostname}`;
  if (!isSuited || (settings["tls.profile"] === "seed" && own.publicKey.asymmetricKeyType !== "rsa")) return true;
  const read = readPair(files, clock.now());
  // Ours may have expired, as after a long run, or lack its key, as after a start that was killed between writing the two.
  return !read.ok || (when !== "running" && read.pair.validTo - clock.now() < RENEW_BEFORE_MS);
}

/** Null if the file holds another certificate. */
function selfSigned(cert: string): X509Certificate | null {
  const own = readOr(() => new X509Certificate(readNamed(cert, MOST_BYTES)), null);
  return own?.subject === `CN=${SELF_SIGNED}` ? own : null;
}

/** The ciphers with an RSA key exchange in the list "seed" need an RSA key. */
async function selfSign(layout: Layout, { hostname, "tls.profile": profile }: Settings): Promise<void> {
  const names = ["-subj", `/CN=${SELF_SIGNED}`, "-addext", `subjectAltName=DNS:${hostname}`];
  const algorithm = profile === "seed" ? ["rsa:2048"] : ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const kind = ["-x509", "-newkey", ...algorithm, "-noenc", "-days", String(DAYS)];
  // Both on its standard output, so openssl writes no file.
  const made = await runProgram("openssl", ["req", ...kind, ...names, "-keyout", "-"]);
  const pem = (what: string) =>
    new RegExp(`-----BEGIN ${what}-----[^-]+-----END ${what}-----\n`).exec(made.stdout)?.[0];
  const [key, cert] = [pem("PRIVATE KEY"), pem("CERTIFICATE")];
  if (made.code !== 0 || key === undefined || cert === undefined)
    throw new SetUpFailure(`openssl could not make a certificate: ${lastLines(made)}`);
  writeFile(layout.tlsKey, key, { mode: 0o600 });
  writeFile(layout.tlsCert, cert, { mode: 0o600 });
}
