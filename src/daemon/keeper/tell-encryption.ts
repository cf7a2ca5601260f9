import { existsSync, readFileSync } from "node:fs";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import type { EncryptionReport } from "../../wire/control/reports.ts";
import { fingerprint, lockedBecause } from "../set-up/mail-keys.ts";
import { mailCryptOf } from "../set-up/site.ts";

/** The state of the server's key for `encryption show`, without its location. Throws if the public key cannot be read. */
export function encryptionOf(
  layout: Pick<Layout, "mailPublicKey" | "mailPrivateKey" | "mailKeyConf">,
  settings: Pick<Settings, "mailboxes.encryption" | "mailboxes.encryption_key">,
): EncryptionReport {
  const crypt = mailCryptOf(settings, layout);
  // Before the settings are applied, no keys exist.
  if (crypt === null || !existsSync(crypt.publicKey))
    return { encrypts: false, byAccount: false, readable: null, fingerprint: null };
  const { encrypts, byAccount } = crypt;
  const print = fingerprint(readFileSync(crypt.publicKey, "utf8"));
  // Dovecot gets the key within seconds.
  const readable = lockedBecause(crypt) === null && existsSync(layout.mailKeyConf);
  return { encrypts, byAccount, readable, fingerprint: print };
}
