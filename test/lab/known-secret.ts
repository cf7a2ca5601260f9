import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dkimKeys } from "../../src/mail/rspamd/rspamd-conf.ts";
import type { Layout } from "../../src/settings/layout.ts";
import { schema } from "../../src/settings/schema.ts";
import { keepForRun, keptByRun } from "./kept-by-run.ts";

/**
 * Writes a fixed secret. The guard tells passwords apart by 12 bits, salted by a secret that the first start makes, so that once in
 * 400 times two of five different passwords look alike and count as four. With the same secret, each run has the same results.
 * Call it before the first start, in an empty data directory; the empty record says that set-up has run. Servers of one run also
 * share the key that signs mail, which takes long to make.
 */
export function makeKnownSecret(layout: Layout): void {
  const { data, secrets, loginPolicySecret } = layout;
  if (existsSync(data) && readdirSync(data).length > 0) return;
  mkdirSync(secrets, { recursive: true });
  writeFileSync(loginPolicySecret, `${"5e".repeat(32)}\n`, { mode: 0o640 });
  writeFileSync(join(data, "installed-packages"), "");
  const dkimSelector = schema["dkim.selector"].byDefault;
  // The domain of most labs.
  for (const { file } of dkimKeys({ layout, domains: ["example.test"], dkimSelector })) {
    mkdirSync(layout.dkimKeys, { recursive: true });
    writeFileSync(file, keptByRun("dkim-key") ?? keepForRun("dkim-key", signingKey()), { mode: 0o600 });
  }
}

function signingKey(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  return privateKey.export({ type: "pkcs8", format: "pem" });
}
