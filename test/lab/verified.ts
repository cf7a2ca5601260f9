import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openImap } from "./mail.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

/** A password that Dovecot compared with that of an account, or with the decoy of an unknown name. */
export type Verification = Readonly<{ name: string; ip: string }>;

/** To the passdb of app passwords any other password is an unknown user, and nothing is verified. An invalid name gets a decoy. */
const VERIFIED = "event=auth_passdb_request_finished AND NOT result=user_unknown";

/** Restarts Dovecot so that it logs every verified password in a separate file, where none is missed in an attack. */
export async function watchVerifications(product: Product): Promise<() => readonly Verification[]> {
  const { lab, layout } = product;
  const file = join(layout.log, "verified");
  appendFileSync(layout.dovecotConf, `\ndebug_log_path = ${file}\nlog_debug = ${VERIFIED}\n`);
  await product.sv("restart", "dovecot");
  // Dovecot runs a moment before its ports serve TLS again.
  (await until("Dovecot answers again", () => openImap(lab.sender, "198.51.100.70"))).close();
  return () => {
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    // Its worker logs the same again.
    return lines.flatMap((line) => {
      const found = / auth: Debug: sql\(([^,)]*),([^,)]*)[,)].*Finished passdb lookup/.exec(line);
      return found === null ? [] : [{ name: found[1] ?? "", ip: found[2] ?? "" }];
    });
  };
}
