import { generateKeyPairSync } from "node:crypto";
import { chownSync, existsSync, renameSync, writeFileSync } from "node:fs";
import { CONTENT_USERS } from "../../render/content-services.ts";
import { dkimKeys } from "../../render/dkim-keys.ts";
import type { Site } from "../../render/site.ts";
import { userIds } from "../site.ts";

/** What every receiver verifies (RFC 8301 section 3.2) and what fits into one UDP answer. */
const RSA_BITS = 2_048;

/** Makes the keys that are missing; one that exists is never touched, since its other half is published. */
export function makeDkimKeys(site: Site): void {
  const { uid, gid } = userIds(CONTENT_USERS.rspamd);
  for (const key of dkimKeys(site)) {
    if (existsSync(key.file)) continue;
    const fresh = `${key.file}.new`;
    writeFileSync(
      fresh,
      generateKeyPairSync("rsa", { modulusLength: RSA_BITS }).privateKey.export({ type: "pkcs8", format: "pem" }),
      { mode: 0o600 },
    );
    chownSync(fresh, uid, gid);
    renameSync(fresh, key.file);
  }
}
