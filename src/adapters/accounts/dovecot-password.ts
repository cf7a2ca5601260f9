import { lastLines, runProgram } from "../machine/run-program.ts";

/** `unknown`: Dovecot could not verify it, and why. */
export type Verified = Readonly<{ is: "right" | "wrong" }> | Readonly<{ is: "unknown"; reason: string }>;

/**
 * Asks Dovecot whether a hash of any scheme matches this password (doveadm-pw(1)). The password goes through standard
 * input; the hash is an argument, which other programs of this machine can see for a moment. No configuration is read.
 */
export async function verifyByDovecot(name: string, hash: string, password: string): Promise<Verified> {
  const args = ["-c", "/dev/null", "pw", "-u", name, "-t", hash];
  const ran = await runProgram("doveadm", args, { input: password });
  if (ran.code === 0) return { is: "right" };
  return ran.stderr.includes("Password mismatch") ? { is: "wrong" } : { is: "unknown", reason: lastLines(ran, 1) };
}
