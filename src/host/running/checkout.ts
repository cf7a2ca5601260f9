import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The directory of the sources from which this program was started. This file is as deep in it as the cached build is
 * (node_modules/.cache/start/start.mjs).
 */
export const CHECKOUT = join(import.meta.dirname, "..", "..", "..");

/** Whether the sources come from a Debian package (`npm run package`), which has its own units, users and dependencies. */
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

/** The version in a package.json; null if it has none, or does not exist. */
export function versionIn(directory: string): string | null {
  return fieldIn(directory, "version");
}

/** The version for people, with the commit if known: `0.1.0 (commit 1f2e3d4c)`. */
export function releaseIn(directory: string): string | null {
  const version = versionIn(directory);
  const commit = commitIn(directory);
  return version === null || commit === null ? version : `${version} (commit ${commit})`;
}

/** The first eight digits of the checked-out commit, or of the commit in a package.json that we wrote. */
export function commitIn(directory: string): string | null {
  const head = textOf(join(directory, ".git", "HEAD")).trim();
  const ref = /^ref: (refs\/[\w./-]+)$/.exec(head)?.[1];
  const loose = join(directory, ".git", ref ?? "HEAD");
  // A file that a power failure emptied means no commit, because an older one would be wrong.
  const commit = ref === undefined || existsSync(loose) ? textOf(loose) : packedCommit(directory, ref);
  return /^[0-9a-f]{8}/.exec(commit)?.[0] ?? fieldIn(directory, "commit");
}

/** Each line is `COMMIT REF` (gitrepository-layout(5)). */
function packedCommit(directory: string, ref: string): string {
  const packed = textOf(join(directory, ".git", "packed-refs"));
  return packed.split("\n").find((line) => line.endsWith(` ${ref}`)) ?? "";
}

function fieldIn(directory: string, name: "version" | "commit"): string | null {
  const text = textOf(join(directory, "package.json"));
  return new RegExp(`"${name}": ?"([^"]+)"`).exec(text)?.[1] ?? null;
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
