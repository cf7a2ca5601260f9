import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mustRun } from "./commands.ts";
import type { Host } from "./host.ts";

export type Login = Readonly<{ user: string; password: string }>;
export type Certificate = Readonly<{ cert: string; key: string }>;

export const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
/** An RSA key, which costs a hundred times as much to make. */
export const NEW_RSA_KEY: readonly string[] = ["-newkey", "rsa:2048"];

function pairIn(directory: string, file: string): Certificate {
  return { cert: join(directory, `${file}.pem`), key: join(directory, `${file}-key.pem`) };
}

/** Writes a self-signed certificate for a name to these files. `options`: of openssl-req(1). */
export async function writeCertificate(to: Certificate, name: string, options: readonly string[] = NEW_KEY) {
  const names = ["-subj", `/CN=${basename(to.cert, ".pem")}`, "-addext", `subjectAltName=DNS:${name}`, "-days", "5"];
  await mustRun(["openssl", "req", "-x509", "-noenc", ...names, "-keyout", to.key, "-out", to.cert, ...options]);
}

/** A self-signed certificate for a name; the files are in the directory. */
export async function makeCertificate(directory: string, file: string, name: string, newKey?: readonly string[]) {
  const made = pairIn(directory, file);
  await writeCertificate(made, name, newKey);
  return made;
}

/** A certificate valid for four days, of which an hour is left by default (openssl-ca(1), which accepts both times). */
export async function makeExpiringCertificate(directory: string, file: string, name: string, hoursLeft = 1) {
  const made = pairIn(directory, file);
  const at = (what: string): string => join(directory, `${file}-${what}`);
  const time = (inHours: number): string =>
    new Date(Date.now() + inHours * 3_600_000).toISOString().replace(/[-:T]|\.\d+/g, "");
  writeFileSync(at("index"), "");
  const ca = `database=${at("index")}\nnew_certs_dir=${directory}\nrand_serial=yes\ndefault_md=sha256\npolicy=any`;
  const rest = `[any]\ncommonName=supplied\n[x]\nsubjectAltName=DNS:${name}\n`;
  writeFileSync(at("ca.cnf"), `[ca]\ndefault_ca=own\n[own]\n${ca}\n${rest}`);
  const request = ["-subj", `/CN=${name}`, "-keyout", made.key, "-out", at("csr")];
  await mustRun(["openssl", "req", "-new", ...NEW_KEY, "-noenc", ...request]);
  const dates = ["-startdate", time(hoursLeft - 96), "-enddate", time(hoursLeft)];
  const files = ["-selfsign", "-keyfile", made.key, "-in", at("csr"), "-out", made.cert, "-notext"];
  await mustRun(["openssl", "ca", "-batch", "-config", at("ca.cnf"), ...files, "-extensions", "x", ...dates]);
  return made;
}

export type Wish = Readonly<{ directory: string; address: string; port: number; certificate: Certificate }>;
export type TlsServer = Awaited<ReturnType<typeof startTlsServer>>;

/** Another mail server, which offers STARTTLS and, if it has a login, accepts mail only after a sign-in. */
export async function startTlsServer(host: Host, { directory, address, port, certificate }: Wish, login?: Login) {
  const program = fileURLToPath(new URL("tls-server-program.ts", import.meta.url));
  const mails = join(directory, `mails-${address}-${port}`);
  const where = [address, String(port), certificate.cert, certificate.key, mails];
  const who = login === undefined ? [] : [login.user, login.password];
  await host.spawnServer([process.execPath, program, ...where, ...who], address, port);
  return { mails: () => (existsSync(mails) ? readFileSync(mails, "utf8").trim().split("\n") : []) };
}
