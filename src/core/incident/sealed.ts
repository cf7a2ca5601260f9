/** The step of an incident that sealed a bundle, as the audit has it: incident, file, manifest. */
const SEALED = /^(\S+) investigate: Evidence was sealed: (\S+), .*manifest ([0-9a-f]{64}), signed by [0-9a-f]{64}\.$/;

/** Of a bundle that was made at this time (ISO 8601, UTC). */
export function bundleName(at: string): string {
  return `bundle-${at.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}.tar.gz`;
}

export function sealedText(
  name: string,
  { files, sha256, signer }: Readonly<{ files: string; sha256: string; signer: string }>,
) {
  return `Evidence was sealed: ${name}, ${files}, manifest ${sha256}, signed by ${signer}.`;
}

type Bundle = Readonly<{ incident: string; at: string; sha256: string }>;
type Entry = Readonly<{ id: number; type: string; subject: string }>;

/**
 * The entry of the audit that names this bundle's manifest, or what speaks against it: root can sign a changed bundle again with the
 * key of the server, and write other entries, but not change the one that is there.
 */
export function sealedEntry(
  { incident, at, sha256 }: Bundle,
  audit: Iterable<Entry>,
): Readonly<{ entry: number }> | Readonly<{ fault: string }> {
  let entry: number | null = null;
  for (const { id, type, subject } of audit) {
    const [, of, name, manifest] = (type === "INCIDENT" ? SEALED.exec(subject) : null) ?? [];
    if (of !== incident || name !== bundleName(at)) continue;
    if (manifest !== sha256) return { fault: `entry ${id} of the audit names another manifest: ${manifest}` };
    entry ??= id;
  }
  return entry === null
    ? {
        fault:
          "the audit of this server does not name it: it was made while the guard was down, or changed and signed again",
      }
    : { entry };
}
