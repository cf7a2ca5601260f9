import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../../src/core/version.ts";

export type Architecture = "amd64" | "arm64";

/** The version in Debian's format: ours, then the revision of the package. */
export function debianVersion(revision: number): string {
  return `${VERSION}-${revision}`;
}

/** Set-up installs it only where nothing else receives the messages of syslog(3), as systemd does. */
const NOT_WITH_SYSTEMD = ["busybox-syslogd"];
/**
 * What the package itself needs, for its units, its question and the Node runtime, and a Dovecot that can read its configuration.
 * Apt holds back Debian 13's Dovecot 2.4. Packages of repo.dovecot.org have epoch 2, so the server's start checks these.
 */
const OTHERS = ["systemd", "debconf", "passwd", "libstdc++6", "dovecot-core (<< 1:2.4~) | dovecot-core (>= 2:2.3)"];

/** The packages that set-up would install. `setup`: its text. */
export function dependenciesOf(setup: string): readonly string[] {
  const listed = /^PACKAGES="\n([\s\S]*?)^"$/m.exec(setup)?.[1] ?? "";
  const names = listed.split("\n").flatMap((line) => /^([a-z0-9.+-]+)\|/.exec(line)?.[1] ?? []);
  if (names.length === 0) throw new Error("scripts/setup lists no packages");
  return [...names.filter((name) => !NOT_WITH_SYSTEMD.includes(name)), ...OTHERS];
}

type Control = Readonly<{ version: string; arch: Architecture; depends: readonly string[]; installedKib: number }>;

/** deb-control(5) */
export function controlFile({ version, arch, depends, installedKib }: Control): string {
  return `Package: ghostinbox
Version: ${version}
Architecture: ${arch}
Maintainer: GhostInbox contributors <ghostinbox@localhost>
Installed-Size: ${installedKib}
Depends: ${depends.join(", ")}
Section: mail
Priority: optional
Description: hardened mail server, and the engine that guards it
 Real Postfix, Dovecot, SpamAssassin, Rspamd, Postgrey, Fail2ban and Unbound, configured to
 today's standard, with instances and a data directory of their own. The guard sees every connection,
 mail and sign-in as it happens, limits and bans abusers, and explains each decision.
`;
}

/** The checksums of all files, as dpkg(1) --verify reads them. */
export function md5sums(stage: string): string {
  return stagedIn(stage)
    .filter(({ path, kind }) => kind === "file" && !path.startsWith("etc/") && !path.startsWith("DEBIAN/"))
    .map(({ path, file }) => `${createHash("md5").update(readFileSync(file)).digest("hex")}  ${path}\n`)
    .join("");
}

type Staged = Readonly<{
  /** The path from the root of the package, without a leading slash. */
  path: string;
  file: string;
  kind: "file" | "directory" | "link";
}>;

/**
 * Everything below a directory, including names that start with a dot, which globs omit. Does not follow links, unlike
 * `readdirSync` with `recursive`.
 */
export function stagedIn(root: string, below = ""): readonly Staged[] {
  return readdirSync(join(root, below), { withFileTypes: true })
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry): readonly Staged[] => {
      const path = join(below, entry.name);
      const file = join(root, path);
      if (entry.isDirectory()) return [{ path, file, kind: "directory" }, ...stagedIn(root, path)];
      return [{ path, file, kind: entry.isSymbolicLink() ? "link" : "file" }];
    });
}
