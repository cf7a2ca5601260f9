import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../../src/host/machine/run-program.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** A certificate for this name and its key (PEM), by openssl. */
export async function selfSigned(name: string): Promise<Readonly<{ cert: string; key: string }>> {
  const directory = temporaryDirectory();
  const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
  const made = await runProgram("openssl", [
    "req",
    "-x509",
    ...kind,
    "-subj",
    `/CN=${name}`,
    "-keyout",
    key,
    "-out",
    cert,
  ]);
  assert.equal(made.code, 0, made.stderr);
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}
