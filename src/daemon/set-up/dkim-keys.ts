import { generateKeyPairSync } from "node:crypto";
import { groupId } from "../../adapters/machine/system-users.ts";
import { readPlain, writeFile } from "../../adapters/root-files/files.ts";
import { dkimKeys } from "../../render/rspamd/dkim-keys.ts";
import type { Site } from "../../render/site.ts";
import { CONTENT_USERS } from "../../settings/layout.ts";

/** Every receiver verifies it (RFC 8301 section 3.2), and it fits into one UDP answer. */
const RSA_BITS = 2_048;
const MOST_BYTES = 64 * 1_024;

/**
 * Creates missing keys. An existing key is never replaced, because its public half is published. Keys belong to root, and
 * Rspamd may read them. Another user's key (earlier versions gave them to Rspamd) is replaced by root's copy, which
 * no program has open for writing.
 */
export function makeDkimKeys(site: Pick<Site, "layout" | "domains" | "dkimSelector">): void {
  const owner = { uid: process.geteuid?.() ?? 0, gid: groupId(CONTENT_USERS.rspamd) };
  for (const { file } of dkimKeys(site)) {
    const found = readPlain(file, MOST_BYTES);
    // An empty one was not flushed before a power failure, so its public half cannot be published yet.
    const key = found === null || found.text.trim() === "" ? null : found;
    if (key?.owner.uid === owner.uid && key.owner.gid === owner.gid && key.mode === 0o640) continue;
    writeFile(file, key?.text ?? freshKey(), { mode: 0o640, owner });
  }
}

function freshKey(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: RSA_BITS });
  return privateKey.export({ type: "pkcs8", format: "pem" });
}
