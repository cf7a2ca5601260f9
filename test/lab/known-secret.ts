import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Layout } from "../../src/settings/layout.ts";

const SECRET = "5e".repeat(32);

/**
 * The guard tells passwords apart by 12 bits, salted by a secret that the first start makes: once in 400 times two of
 * five different passwords look alike, and count as four. In the lab the secret is the same in each run, so that what a
 * test sees is too. Before the first start, in an empty data directory only; the empty record says that set-up has run.
 */
export function makeKnownSecret({ data, secrets, loginPolicySecret }: Layout): void {
  if (existsSync(data) && readdirSync(data).length > 0) return;
  mkdirSync(secrets, { recursive: true });
  writeFileSync(loginPolicySecret, `${SECRET}\n`, { mode: 0o640 });
  writeFileSync(join(data, "installed-packages"), "");
}
