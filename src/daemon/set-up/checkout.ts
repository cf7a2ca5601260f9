import { existsSync } from "node:fs";
import { join } from "node:path";

/** The directory of the sources from which this program was started. */
export const CHECKOUT = join(import.meta.dirname, "..", "..", "..");

/** Whether a Debian package brought them (`npm run package`). Such a package has its own units, users and dependencies. */
export const IS_PACKAGED = existsSync(join(CHECKOUT, "packaged"));

/** Whether this is the image of the Dockerfile, in a container. */
export const IS_IMAGE = existsSync(join(CHECKOUT, "image"));
