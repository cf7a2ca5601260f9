import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseFileLocks } from "../kernel/proc-locks.ts";
import { textOrNothing } from "../machine/read-text.ts";
import { runProgram } from "../machine/run-program.ts";
import type { ServiceName } from "../running/runit.ts";

/** dpkg(1)'s own state, and the kernel's list of lock holders (proc(5)). */
export type PackageFiles = Readonly<{ directory: string; locks: string }>;
export const PACKAGE_FILES: PackageFiles = { directory: "/var/lib/dpkg", locks: "/proc/locks" };

/** A text that differs after each change of a package; empty without dpkg. */
export function packagesState({ directory }: PackageFiles): string {
  const stat = statSync(join(directory, "status"), { throwIfNoEntry: false });
  return stat === undefined ? "" : [stat.ino, stat.size, stat.mtimeMs].join(" ");
}

/** Whether dpkg or apt is running. */
export function isDpkgBusy({ directory, locks }: PackageFiles): boolean {
  const heldLocks = parseFileLocks(readFileSync(locks, "utf8"));
  return ["lock", "lock-frontend"].some((name) => {
    const stat = statSync(join(directory, name), { throwIfNoEntry: false });
    return heldLocks.some(({ isExclusive, inode }) => isExclusive && inode === stat?.ino);
  });
}

/** When the package was last installed or upgraded (ms): dpkg then rewrites its file list. Null if it is not installed. */
export function unpackedAt(name: string, { directory }: PackageFiles): number | null {
  return statSync(join(directory, "info", `${name}.list`), { throwIfNoEntry: false })?.mtimeMs ?? null;
}

/** Installed packages whose installation dpkg has not finished. */
export async function unfinishedPackages(
  names: readonly string[],
  { directory }: PackageFiles,
): Promise<readonly string[]> {
  const format = "${Package} ${db:Status-Status}\\n";
  const ran = await runProgram("dpkg-query", ["--admindir", directory, "-W", "-f", format, ...names]);
  return ran.stdout.split("\n").flatMap((line) => {
    const [name = "", status = ""] = line.split(" ");
    return ["half-installed", "unpacked", "half-configured"].includes(status) ? [name] : [];
  });
}

/** Files from which a process runs code, but which were deleted (proc(5), maps). Excludes anonymous memory, which has no file. */
export function replacedIn(pid: number): readonly string[] {
  const maps = textOrNothing(`/proc/${pid}/maps`);
  const gone = [...maps.matchAll(/^\S+ ..x. \S+ \S+ \d+ +(\/\S+) \(deleted\)$/gm)].map(([, file = ""]) => file);
  return [...new Set(gone)].filter((file) => !/^\/(?:memfd:|dev\/|SYSV)/.test(file));
}

/**
 * Debian packages whose programs and data a service uses, in addition to their libraries (scripts/setup). In the order in
 * which the services are restarted, so those that others depend on come first.
 */
export const COMPONENTS = {
  unbound: ["unbound", "dns-root-data"],
  spamd: ["spamd", "spamassassin", "libmail-spf-perl"],
  "spam-head": ["python3"],
  "spamass-milter": ["spamass-milter"],
  rspamd: ["rspamd"],
  postgrey: ["postgrey"],
  dovecot: ["dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "dovecot-sqlite", "dovecot-sieve"],
  postfix: ["postfix", "postfix-sqlite"],
  fail2ban: ["fail2ban"],
} as const satisfies Partial<Record<ServiceName, readonly string[]>>;

export type Component = keyof typeof COMPONENTS;
