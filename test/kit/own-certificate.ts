import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./temporary-directory.ts";

export type Pair = Readonly<{ cert: string; key: string }>;

const NEW_KEY: readonly string[] = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

/** A self-signed certificate for 127.0.0.1 with this name as its subject: as PEM texts, and as `cert.pem` and `key.pem` in `directory`. */
export function ownCertificate(directory: string, host = "127.0.0.1"): Pair {
  return made(directory, host, ["-days", "2", "-addext", "subjectAltName=IP:127.0.0.1"]);
}

/** The same for mail.example.org, with another subject. `newKey`: options of openssl-req(1). */
export function mailCertificate({ directory = temporaryDirectory(), newKey = NEW_KEY } = {}): Pair {
  return made(directory, "any", ["-addext", "subjectAltName=DNS:mail.example.org"], newKey);
}

/** A certificate with this name as its subject, and its key (PEM). `options`: of openssl-req(1), for example other names. */
export function selfSigned(name: string, ...options: readonly string[]): Pair {
  return made(temporaryDirectory(), name, options);
}

function made(directory: string, name: string, options: readonly string[], newKey = NEW_KEY): Pair {
  const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  const own = ["-newkey", ...newKey, "-noenc", "-subj", `/CN=${name}`, ...options];
  execFileSync("openssl", ["req", "-x509", ...own, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}
