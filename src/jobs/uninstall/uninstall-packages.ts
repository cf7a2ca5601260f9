import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { SECOND_MS } from "../../core/time.ts";
import type { Outcome } from "../../guard/ports.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { removeFile } from "../../host/root-files/files.ts";
import type { Layout } from "../../settings/layout.ts";
import { printedBy, readBesides } from "./installed-besides.ts";

const UNATTENDED = { timeoutMs: 600_000, env: { DEBIAN_FRONTEND: "noninteractive" } };
/** How long another apt or dpkg may hold its lock, for example that of a killed uninstall. */
const LOCK_WAIT_S = 120;
/** Node needs it, so a killed uninstall could not be repeated without it. */
const NEEDED_BY_NODE = "libatomic1";
const LOCKED = /lock was locked by another process/;

/** Debian packages that set-up installed. */
export type Packages = Readonly<{
  going: readonly string[];
  /** Of these, the ones whose configuration existed before. */
  keepingFiles: readonly string[];
  /** Also installed by set-up, and needed by others. */
  staying: readonly string[];
  /** Packages that set-up's packages had replaced, and which are installed again. */
  returning: readonly string[];
  /** Replaced packages that are not installed again, because that would now remove packages that set-up did not install. */
  absent: readonly string[];
}>;

export const NO_PACKAGES: Packages = { going: [], keepingFiles: [], staying: [], returning: [], absent: [] };

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
  const stdout = await knownToDpkg();
  const here = parsePackages(stdout);
  const configured = new Set(entries.flatMap((entry) => (entry.configured ? [entry.name] : [])));
  const names = [...new Set(entries.map(({ name }) => name))];
  const { removed } = readBesides(layout);
  const exchanged = await removedBy(["install", "--no-install-recommends", ...removed], removed);
  const returns = exchanged.every((name) => names.includes(name));
  const room = returns ? exchanged : [];
  // For other packages, the reinstalled ones take the place of those in `room`.
  const others = here.filter(({ name }) => !room.includes(name));
  const rest = removable(names, others);
  // Packages whose configuration was left by an interrupted removal, or by the administrator's.
  const leftovers = onlyConfigured(stdout).filter((name) => names.includes(name) && !configured.has(name));
  const going = [...rest, ...room, ...leftovers];
  return {
    going,
    keepingFiles: going.filter((name) => configured.has(name) && name !== NEEDED_BY_NODE),
    staying: names.filter((name) => !going.includes(name) && here.some((one) => one.name === name)),
    returning: returns ? removed : [],
    absent: returns ? [] : removed,
  };
}

const POLICY = "/usr/sbin/policy-rc.d";
const POLICY_OF_SET_UP = "Made by the set-up of ghostinbox";

/** Removes the policy that a killed set-up left. With it, apt starts no service, and restarts none after an upgrade (invoke-rc.d(8)). */
export function letServicesStart(): void {
  if (existsSync(POLICY) && readFileSync(POLICY, "utf8").includes(POLICY_OF_SET_UP)) removeFile(POLICY);
}

/** Removes all packages except the one that `removeLastPackage` removes after everything else. */
export async function removePackages({ going, keepingFiles }: Packages): Promise<Outcome> {
  const purged = going.filter((name) => !keepingFiles.includes(name) && name !== NEEDED_BY_NODE);
  const done = await runUnlessEmpty("apt-get", ["remove", "-y", "-q"], keepingFiles);
  // Not apt-get, which first removes all programs and then all files: Dovecot's are found by ucf(1), which would be
  // gone by then.
  return done.ok ? runUnlessEmpty("dpkg", ["--purge"], purged) : done;
}

export async function removeLastPackage({ going }: Packages): Promise<Outcome> {
  return runUnlessEmpty("dpkg", ["--purge"], going.includes(NEEDED_BY_NODE) ? [NEEDED_BY_NODE] : []);
}

/**
 * Reinstalls the packages that set-up's packages replaced. Call it before anything is removed, because others may need them; apt removes
 * those that conflict. Their configuration still exists. `auto` are those that apt had installed for others.
 */
export async function reinstall({ returning }: Packages, auto: readonly string[]): Promise<Outcome> {
  const install = ["install", "-y", "-q", "--no-install-recommends"];
  const first = await runUnlessEmpty("apt-get", install, returning);
  // An interrupted run has left packages that are unpacked only.
  if (!first.ok) await runProgram("dpkg", ["--configure", "-a"], UNATTENDED);
  const done = first.ok ? first : await runUnlessEmpty("apt-get", install, returning);
  const needed = auto.filter((name) => returning.includes(name));
  return done.ok ? runUnlessEmpty("apt-mark", ["auto"], needed) : done;
}

/** Packages that apt would also remove. Without packages, asks neither apt nor dpkg, which may be broken. */
export async function alsoRemoved({ going, returning }: Packages): Promise<readonly string[]> {
  if (going.length === 0) return [];
  const removed = await removedBy(["remove", ...going, ...returning.map((name) => `${name}+`)], going);
  // After an interrupted dpkg, apt does not know yet what is gone.
  const here = new Set(parsePackages(await knownToDpkg()).map(({ name }) => name));
  return removed.filter((name) => !going.includes(name) && here.has(name));
}

function knownToDpkg(): Promise<string> {
  return printedBy("dpkg-query", ["-W", "-f", PACKAGE_FORMAT], 0);
}

/** The packages that apt would remove; without packages apt is not asked. If it refuses (100), it also refuses to remove any. */
async function removedBy(args: readonly string[], packages: readonly string[]): Promise<readonly string[]> {
  if (packages.length === 0) return [];
  return listedAsRemoved(await printedBy("apt-get", [...AS_LISTS, ...args], 100));
}

async function runUnlessEmpty(
  program: "apt-get" | "apt-mark" | "dpkg",
  args: readonly string[],
  packages: readonly string[],
): Promise<Outcome> {
  if (packages.length === 0) return { ok: true };
  // If this program is killed while apt waits for a lock, apt must end too: it would undo the work of the next run. dpkg cannot wait for a
  // lock, so its failure is retried.
  const apt = ["setpriv", "--pdeathsig", "TERM", "--", program, "-o", `DPkg::Lock::Timeout=${LOCK_WAIT_S}`];
  const [starter = program, ...before] = program === "apt-get" ? apt : [program];
  for (let waitedS = 0; ; waitedS += 1) {
    const ran = await runProgram(starter, [...before, ...args, ...packages], UNATTENDED);
    if (ran.code === 0) return { ok: true };
    if (waitedS === LOCK_WAIT_S || !LOCKED.test(ran.stderr))
      return { ok: false, reason: `${program} ${args[0]} failed: ${lastLines(ran)}` };
    await pause(SECOND_MS);
  }
}

/** A Debian package that is unpacked here, as dpkg(1) knows it. */
export type Package = Readonly<{
  name: string;
  provides: readonly string[];
  /** Its dependencies: one of each group of alternatives. Versions are left to apt. */
  needs: readonly (readonly string[])[];
}>;

/** For dpkg-query(1), one line for each package. */
const PACKAGE_FORMAT = "${db:Status-Status}\t${Package}\t${Provides}\t${Pre-Depends}, ${Depends}\n";
const WITHOUT_PROGRAMS = ["not-installed", "config-files"];

/** Lines of `PACKAGE_FORMAT`. */
export function parsePackages(text: string): readonly Package[] {
  return text.split("\n").flatMap((line): readonly Package[] => {
    const [status = "", name = "", provides = "", needs = ""] = line.split("\t");
    if (name === "" || WITHOUT_PROGRAMS.includes(status)) return [];
    return [{ name, provides: namesIn(provides, ","), needs: needs.split(",").map((group) => namesIn(group, "|")) }];
  });
}

/** Lines of `PACKAGE_FORMAT` again: removed packages of which only the configuration is here. */
export function onlyConfigured(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => /^config-files\t([^\t]+)\t/.exec(line)?.[1] ?? []);
}

/** The candidates that no remaining package needs. */
export function removable(candidates: readonly string[], here: readonly Package[]): readonly string[] {
  const going = new Set(candidates.filter((name) => here.some((one) => one.name === name)));
  const offered = here.flatMap(({ name, provides }) => [name, ...provides].map((offer) => ({ offer, name })));
  const offers = Map.groupBy(offered, ({ offer }) => offer);
  // A package that is kept has dependencies too, so the queue grows.
  const staying = here.filter(({ name }) => !going.has(name));
  for (const { needs } of staying)
    for (const group of needs) {
      const offering = group.flatMap((wanted) => offers.get(wanted) ?? []).map(({ name }) => name);
      if (offering.some((name) => !going.has(name))) continue;
      for (const name of offering) {
        going.delete(name);
        staying.push(...here.filter((one) => one.name === name));
      }
    }
  return [...going];
}

/** With these, apt-get(8) lists its actions and does nothing. A simulation (-s) takes half as long again. */
const AS_LISTS = ["--print-uris", "-o", "quiet=1", "-o", "APT::Get::Show-Versions=false"];

/** The packages that apt would remove, from its lists. */
export function listedAsRemoved(plan: string): readonly string[] {
  const list = /^The following packages will be REMOVED:\n((?: .*\n)+)/m.exec(plan)?.[1] ?? "";
  // A star means that its configuration is removed too.
  return [...list.matchAll(/[^\s*]+/g)].map(([name]) => name);
}

/** Names without version and architecture (deb-control(5)): `libc6:any (>= 2.34)`. */
function namesIn(text: string, separator: string): readonly string[] {
  return text.split(separator).flatMap((part) => /^\s*([a-z0-9][a-z0-9+.-]+)/.exec(part)?.[1] ?? []);
}
