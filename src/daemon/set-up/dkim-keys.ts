import { generateKeyPairSync } from "node:crypto";
import { readPlain, writeFile } from "../../adapters/root-files/files.ts";
import { CONTENT_USERS } from "../../render/content/content-services.ts";
import { dkimKeys } from "../../render/rspamd/dkim-keys.ts";
import type { Site } from "../../render/site.ts";
import { groupId } from "./site.ts";

/** What every receiver verifies (RFC 8301 section 3.2) and what fits into one UDP answer. */
const RSA_BITS = 2_048;
const MOST_BYTES = 64 * 1_024;

/**
 * Makes the keys that are missing; one that exists never becomes another, since its other half is published. Root's,
 * for Rspamd to read: where a key is another's (earlier versions gave them to Rspamd), root puts a copy in its place,
 * which no program has open for writing.
 */
export function makeDkimKeys(site: Pick<Site, "layout" | "domains" | "dkimSelector">): void {
  const owner = { uid: process.geteuid?.() ?? 0, gid: groupId(CONTENT_USERS.rspamd) };
  for (const { file } of dkimKeys(site)) {
    const found = readPlain(file, MOST_BYTES);
    if (found?.owner.uid === owner.uid && found.owner.gid === owner.gid && found.mode === 0o640) continue;
    writeFile(file, found?.text ?? freshKey(), { mode: 0o640, owner });
  }
}

function freshKey(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: RSA_BITS });
  return privateKey.export({ type: "pkcs8", format: "pem" });
}
