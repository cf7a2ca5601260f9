import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isV4, PROBE_ADDRESS } from "../../../core/net/ip.ts";
import { renewalDue, type Validity } from "../../../core/report/figures.ts";
import { plural } from "../../../core/text.ts";
import { DAY_MS } from "../../../core/time.ts";
import { servedFiles } from "../../../mail/certificates/issue-certificate.ts";
import { type Handshake, handshake, OFFERS, type TlsPort } from "../../../mail/probes/port-dialogue.ts";
import { PROGRAM } from "../call.ts";
import { firstFew } from "../print/text.ts";
import {
  check,
  type Finding,
  ok,
  reachableAddresses,
  type Server,
  type Shaken,
  shakeAll,
  tlsPortsOf,
  unknown,
  warning,
  worstOf,
  wrong,
} from "./check.ts";
import { hello, judgeOffers, talk } from "./mail-flow.ts";

const TIMEOUT_MS = 10_000;
const FIX = `${PROGRAM} config set tls.cert FILE  # and tls.key: docs/tls.md`;
const RENEW = "docs/tls.md says how to renew it, and why that may fail";

/** No answer, or an OpenSSL here that lacks the version itself. Neither proves anything about the server. */
const NO_ANSWER = /ETIMEDOUT|NO_PROTOCOLS_AVAILABLE|NO_CIPHERS_AVAILABLE|UNSUPPORTED_PROTOCOL|NO_CIPHER_MATCH/;

export function judgeOld(port: string, shaken: Handshake): Finding {
  if (shaken.ok) return wrong(`${port} speaks ${shaken.protocol}`, `${PROGRAM} config apply`);
  return judgeRefusal(port, "TLS 1.0 and 1.1", shaken);
}

function judgeWeak(port: string, shaken: Handshake): Finding {
  if (shaken.ok) return wrong(`${port} takes ${shaken.cipher}`, `${PROGRAM} config apply`);
  return judgeRefusal(port, "weak ciphers", shaken);
}

function judgeRefusal(port: string, what: string, { stage, code, says }: Extract<Handshake, { ok: false }>): Finding {
  if (stage === "connect" || NO_ANSWER.test(code)) return unknown(`${port}: ${says}`, `${PROGRAM} check --only ports`);
  return ok(`${port} refuses ${what} (${code === "" ? says : code})`);
}

/** RFC 9325 section 4.5: at least 2,048 bits for RSA, and 224 bits for curves. */
function judgeKey({ publicKey }: X509Certificate): Finding {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  const type = publicKey.asymmetricKeyType ?? "unknown";
  const bits = modulusLength ?? Number(/\d{3}/.exec(namedCurve ?? "256")?.[0] ?? 256);
  const saw = `The certificate has a key of ${bits} bits (${type}${namedCurve === undefined ? "" : `, ${namedCurve}`}).`;
  return bits < (modulusLength === undefined ? 224 : 2_048) ? wrong(saw, FIX) : ok(saw);
}

export function judgeModern(port: string, shaken: Handshake): Finding {
  if (!shaken.ok) return wrong(`${port} does not start TLS: ${shaken.says}`, `${PROGRAM} status`);
  const today = /^TLSv1\.[23]$/.test(shaken.protocol);
  return today ? ok(`${port} ${shaken.protocol} ${shaken.cipher}`) : wrong(`${port} ${shaken.protocol}`, FIX);
}

function judgeName(hostname: string, certificate: X509Certificate): Finding {
  const names = certificate.subjectAltName ?? certificate.subject;
  if (certificate.checkHost(hostname) !== undefined) return ok(`The certificate names ${hostname} (${names}).`);
  return wrong(`The certificate names ${names}, and not ${hostname}.`, FIX);
}

export function judgeTrust(distrust: string | null, issuer: string): Finding {
  if (distrust === null) return ok(`A public authority issued the certificate (${issuer}).`);
  const says = `No public authority issued the certificate (${distrust}): mail programs warn, and servers that require one do not deliver.`;
  return warning(says, FIX);
}

export function judgeDays(certificate: Validity, now: number): Finding {
  const validTo = certificate.validToDate.getTime();
  const left = Math.floor((validTo - now) / DAY_MS);
  const day = new Date(validTo).toISOString().slice(0, 10);
  if (validTo <= now) return wrong(`The certificate expired on ${day}.`, RENEW);
  if (now > renewalDue(certificate))
    return warning(`The certificate expires on ${day}, in ${plural(left, "day")}.`, RENEW);
  return ok(`The certificate is valid until ${day}, ${plural(left, "day")} from now.`);
}

/** `served`: the fingerprint of the certificate at each port. */
function judgeSame(served: ReadonlyMap<string, string>, file: string): Finding {
  const others = [...served].filter(([, fingerprint]) => fingerprint !== file).map(([port]) => port);
  if (others.length === 0) return ok(`${plural(served.size, "port")}, each with the certificate of the settings.`);
  return wrong(`${firstFew(others)}: the certificate differs from that of the settings.`, `${PROGRAM} config apply`);
}

async function eachPort(shaken: Promise<Shaken>, judge: (port: string, shaken: Handshake) => Finding) {
  return worstOf([...(await shaken)].map(([{ name }, one]) => judge(name, one)));
}

async function onImaps(server: Server, judge: (certificate: X509Certificate, distrust: string | null) => Finding) {
  const [, shaken] = [...(await server.shaken())].find(([{ name }]) => name === "IMAPS") ?? [];
  if (shaken?.ok !== true || shaken.certificate === null) return unknown("IMAPS serves no certificate.", FIX);
  return judge(shaken.certificate, shaken.distrust);
}

/** RFC 4954 section 4 forbids passwords in clear text. */
function offersBeforeTls({ name, port }: TlsPort): Promise<Finding> {
  return talk({ port }, async (dialogue) => judgeOffers(name, await hello(dialogue), "before TLS"));
}

export const tls = {
  versions: check("Offers only TLS 1.0 and 1.1 to each mail port, which must refuse them.", ({ settings }) =>
    eachPort(shakeAll(settings, OFFERS.old), judgeOld),
  ),
  handshake: check("Starts TLS at each mail port, as mail programs do.", (server) =>
    eachPort(server.shaken(), judgeModern),
  ),
  ciphers: check(
    "Offers each mail port only ciphers without a certificate, without encryption, or broken ones.",
    ({ settings }) => eachPort(shakeAll(settings, OFFERS.weak), judgeWeak),
  ),
  public: check(
    "Starts TLS with SMTP and IMAPS at the machine's own addresses, as remote clients do.",
    async ({ settings, machine }) => {
      const ports = tlsPortsOf(settings).filter(({ name }) => name === "SMTP" || name === "IMAPS");
      const findings = reachableAddresses(machine).flatMap((host) =>
        ports.map(async (port) => {
          const localAddress = isV4(host) ? PROBE_ADDRESS : host;
          const options = { host, localAddress, servername: settings.hostname, timeoutMs: TIMEOUT_MS };
          return judgeModern(`${port.name} at ${host}`, await handshake(port, options));
        }),
      );
      if (findings.length === 0) return unknown("This machine only has loopback addresses.");
      return worstOf(await Promise.all(findings));
    },
  ),
  cleartext: check("Checks whether SMTP and submission accept passwords before TLS.", async ({ settings }) => {
    const plain = tlsPortsOf(settings).filter(({ tlsStart }) => tlsStart === "starttls");
    return worstOf(await Promise.all(plain.map(offersBeforeTls)));
  }),
  name: check("Compares the certificate on IMAPS with the server's name.", (server) =>
    onImaps(server, (certificate) => judgeName(server.settings.hostname, certificate)),
  ),
  chain: check("Verifies the chain of that certificate against the public authorities that Node.js trusts.", (server) =>
    onImaps(server, ({ issuer }, distrust) => judgeTrust(distrust, issuer.replaceAll("\n", ", "))),
  ),
  days: check("Counts the days until the certificate expires.", (server) =>
    onImaps(server, (certificate) => judgeDays(certificate, server.now)),
  ),
  key: check("Measures the key of the served certificate.", ({ layout }) =>
    judgeKey(new X509Certificate(readFileSync(servedFiles(layout).cert))),
  ),
  same: check(
    "Compares each mail port's certificate with the file that it is served from.",
    async ({ layout, shaken }) => {
      const file = new X509Certificate(readFileSync(servedFiles(layout).cert)).fingerprint256;
      const served = [...(await shaken())].map(
        ([{ name }, one]) => [name, one.ok ? (one.certificate?.fingerprint256 ?? "none") : one.says] as const,
      );
      return judgeSame(new Map(served), file);
    },
  ),
};
