/** A package that would be upgraded. `isSecurity`: the new version comes from an archive only for security. */
export type WaitingPackage = Readonly<{ name: string; version: string; isSecurity: boolean }>;

/**
 * Arguments of apt-get(8) that tell what an upgrade would install, and change nothing. Without new packages it would keep
 * back what needs one: each new kernel is a separate package.
 */
export const SIMULATED_UPGRADE = ["-s", "-q", "-o", "Debug::NoLocking=1", "--with-new-pkgs", "upgrade"] as const;

/**
 * What it says, a line for each package that would be installed; a new one has no version in brackets:
 *
 *     Inst openssl [3.0.17-1] (3.0.18-1 Debian-Security:12/oldstable-security [amd64])
 *     Inst linux-image-6.1.0-41-amd64 (6.1.158-1 Debian-Security:12/oldstable-security [amd64])
 */
export function readUpgrade(output: string): readonly WaitingPackage[] {
  return output.split("\n").flatMap((line) => {
    const [, name, version, origins] = /^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) ([^)]*)\)/.exec(line) ?? [];
    if (name === undefined || version === undefined || origins === undefined) return [];
    return [{ name, version, isSecurity: /:\S*-security\b/i.test(origins) }];
  });
}
