/** The step of an incident that made a bundle, as the audit has it: the file and its SHA-256. */
const MADE = /^\S+ investigate: Evidence was packed: (\S+), .*SHA-256 ([0-9a-f]{64})\.$/;

/** The name of a bundle that is made at this time (ISO 8601, UTC). */
export function bundleName(at: string): string {
  return `bundle-${at.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}.tar.gz`;
}

export function packedText(name: string, { files, sha256 }: Readonly<{ files: string; sha256: string }>): string {
  return `Evidence was packed: ${name}, ${files}, SHA-256 ${sha256}.`;
}

type Entry = Readonly<{ id: number; type: string; subject: string }>;

/**
 * The entry of the audit that names this file, or why it is not the one that was packed. The first entry decides: root can write
 * later ones, but cannot change that one.
 */
export function packedEntry(
  { name, sha256 }: Readonly<{ name: string; sha256: string }>,
  audit: Iterable<Entry>,
): Readonly<{ entry: number }> | Readonly<{ fault: string }> {
  for (const { id, type, subject } of audit) {
    const [, packed, digest] = (type === "INCIDENT" ? MADE.exec(subject) : null) ?? [];
    if (packed !== name) continue;
    return digest === sha256
      ? { entry: id }
      : { fault: `its SHA-256 is ${sha256}, but entry ${id} of the audit names ${digest}` };
  }
  return {
    fault:
      "the audit of this server does not name it: it was renamed, made elsewhere, or made while the guard was down",
  };
}
