import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import type { Outcome } from "../../engine/ports.ts";
import type { Layout } from "../../settings/layout.ts";
import { PACKAGE_FORMAT, parsePackages, removable } from "./removable-packages.ts";

const TIMEOUT_MS = 600_000;
const NOBODY_ASKS = { DEBIAN_FRONTEND: "noninteractive" };

/** Debian packages that set-up installed. */
export type Packages = Readonly<{
  going: readonly string[];
  /** Those of them whose configuration was here before. */
  keepingFiles: readonly string[];
  /** Also installed by set-up, and needed by others. */
  staying: readonly string[];
}>;

export const NO_PACKAGES: Packages = { going: [], keepingFiles: [], staying: [] };

/** Set-up's record. Only Debian package names (deb-control(5)), because they become arguments. */
export async function packagesToRemove(layout: Layout): Promise<Packages> {
  const file = join(layout.data, "installed-packages");
  if (!existsSync(file)) return NO_PACKAGES;
  const entries = readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, name, configured] = /^([a-z0-9][a-z0-9+.-]+)(?::[a-z0-9]+)?( configured)?$/.exec(line) ?? [];
      return name === undefined ? [] : [{ name, configured: configured !== undefined }];
    });
  const here = parsePackages((await runProgram("dpkg-query", ["-W", "-f", PACKAGE_FORMAT])).stdout);
  const names = [...new Set(entries.map(({ name }) => name))];
  const going = removable(names, here);
  return {
    going,
    keepingFiles: entries.filter(({ name, configured }) => configured && going.includes(name)).map(({ name }) => name),
    staying: names.filter((name) => !going.includes(name) && here.some((one) => one.name === name)),
  };
}

export async function removePackages({ going, keepingFiles }: Packages): Promise<Outcome> {
  const purged = going.filter((name) => !keepingFiles.includes(name));
  const done = await perhaps("apt-get", ["remove", "-y", "-q"], keepingFiles);
  // Not apt-get, which first removes all programs and then all files: Dovecot's are found by ucf(1), which would be
  // gone by then.
  return done.ok ? perhaps("dpkg", ["--purge"], purged) : done;
}

/** The packages that were removed for them. Their configuration is still there. */
export async function installAgain(packages: readonly string[]): Promise<Outcome> {
  return perhaps("apt-get", ["install", "-y", "-q", "--no-install-recommends"], packages);
}

async function perhaps(program: string, args: readonly string[], packages: readonly string[]): Promise<Outcome> {
  if (packages.length === 0) return { ok: true };
  const ran = await runProgram(program, [...args, ...packages], { timeoutMs: TIMEOUT_MS, env: NOBODY_ASKS });
  return ran.code === 0 ? { ok: true } : { ok: false, reason: `${program} ${args[0]} failed: ${lastLines(ran)}` };
}

/** Packages that apt would also remove. */
export async function alsoRemoved(packages: readonly string[]): Promise<readonly string[]> {
  if (packages.length === 0) return [];
  const plan = await runProgram("apt-get", ["remove", "-s", ...packages]);
  const going = plan.stdout.split("\n").flatMap((line) => /^Remv (\S+)/.exec(line)?.[1] ?? []);
  return going.filter((name) => !packages.includes(name));
}
