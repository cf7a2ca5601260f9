import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * The directory of the sources from which this program was started: this file is as deep in it as the kept builds are
 * (node_modules/.cache/start/start.mjs).
 */
export const CHECKOUT = join(import.meta.dirname, "..", "..", "..");

/** Whether a Debian package brought them (`npm run package`). Such a package has its own units, users and dependencies. */
export const IS_PACKAGED = existsSync(join(CHECKOUT, "packaged"));

/** Whether this is the image of the Dockerfile, in a container. */
export const IS_IMAGE = existsSync(join(CHECKOUT, "image"));

/** Where compose.yaml mounts `security/` of a checkout, so that edits there apply without a new image. */
const MOUNTED = "/security";

/** Where the owner edits `security.js` and adds to `filter.d`. */
export function ownSecurity(checkout: string): string {
  const isMounted = IS_IMAGE && checkout === CHECKOUT && existsSync(MOUNTED);
  return isMounted ? MOUNTED : join(checkout, "security");
}
