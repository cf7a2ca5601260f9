import { existsSync, globSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../../core/error.ts";
import type { HoleFigures, ReportFacts, Unless, UpdateFigures } from "../../core/report/figures.ts";
import { DAY_MS, instant, isoTime, type Millis } from "../../core/time.ts";
import { textOrNothing } from "../machine/read-text.ts";
import { lastLines, type RunOptions, runProgram, TIMED_OUT } from "../machine/run-program.ts";
import { makeDirectory } from "../root-files/trees.ts";

/** Both programs run without rights, as the user and group nobody, so that forged lists or answers gain none. */
const AS_NOBODY = { uid: 65_534 };
/** apt-get takes two seconds, or longer on a busy machine. */
const APT_MS = 120_000;
/** debsecan downloads its data each time. */
const DEBSECAN_MS = 60_000;
/** debsecan prints a line for each vulnerability of each package. */
const DEBSECAN_BYTES = 32_000_000;

/** `aptConfig`: the file that apt reads before its own configuration (apt.conf(5)). By default the one in APT_CONFIG, if any. */
type UpdateSources = Readonly<{ lists: string; debsecan: string; osRelease: string; aptConfig?: string }>;
const OF_THIS_MACHINE: UpdateSources = {
  lists: "/var/lib/apt/lists",
  debsecan: "/usr/bin/debsecan",
  osRelease: "/etc/os-release",
};

/** Where apt keeps its lists in the image (docker/apt.conf). */
export const IMAGE_LISTS = "/run/apt/lists";
const FETCH_MS = 120_000;

/** Updates of the image. Fetches the lists first, because nothing else does so in a container. Never rejects. */
export async function imageUpdates(now: Millis): Promise<Unless<UpdateFigures>> {
  const failed = await fetchLists(now);
  if (failed !== null) return { known: false, reason: failed };
  const waiting = await waitingUpdates({ ...OF_THIS_MACHINE, lists: IMAGE_LISTS });
  return waiting.known ? { ...waiting, isImage: true } : waiting;
}

/** Fetches Debian's package lists into a container's memory, at most once a day. Returns why it failed, or null. Never rejects. */
export async function fetchLists(now: Millis, lists = IMAGE_LISTS): Promise<string | null> {
  const times = globSync(join(lists, "*_Packages*")).map((file) => statSync(file).ctimeMs);
  if (times.some((at) => Math.abs(now - at) < DAY_MS)) return null;
  try {
    makeDirectory(dirname(lists), 0o755);
  } catch (error) {
    // The container is read-only and has no file system in memory at /run.
    return `Debian's lists of packages cannot be fetched: ${messageOf(error)}`;
  }
  const ran = await runProgram("apt-get", ["update", "-q", "-o", "Acquire::http::Timeout=15"], { timeoutMs: FETCH_MS });
  // apt-get exits with 0 after most failures and only prints them.
  const failure =
    /^(?:E|W: Failed to fetch|W: Some index files failed).*/m.exec(ran.stderr)?.[0] ??
    (ran.code === 0 ? null : lastLines(ran, 1));
  return failure === null ? null : `Debian's lists of packages cannot be fetched: ${failure}`;
}

/** Packages with an upgrade, according to the lists that apt has. Never rejects. */
export async function waitingUpdates(sources: UpdateSources = OF_THIS_MACHINE): Promise<Unless<UpdateFigures>> {
  const { lists, aptConfig = process.env["APT_CONFIG"] } = sources;
  const env: Readonly<Record<string, string>> = aptConfig === undefined ? {} : { APT_CONFIG: aptConfig };
  const ran = await runProgram("apt-get", SIMULATED_UPGRADE, { ...asNobody(), env, timeoutMs: APT_MS });
  if (ran.code !== 0) return { known: false, reason: `apt-get failed: ${lastLines(ran, 1)}` };
  const listsAt = existsSync(lists) ? isoTime(instant(Math.floor(statSync(lists).mtimeMs))) : null;
  return { known: true, listsAt, isImage: false, packages: readUpgrade(ran.stdout) };
}

/** Packages with known vulnerabilities, by debsecan(1). Never rejects. */
export async function knownHoles(sources: UpdateSources = OF_THIS_MACHINE): Promise<ReportFacts["holes"]> {
  const { debsecan, osRelease } = sources;
  if (!existsSync(debsecan)) return { known: false, isInstalled: false, reason: "debsecan is not installed." };
  const isInstalled = true;
  const suite = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(textOrNothing(osRelease))?.[1];
  if (suite === undefined) return { known: false, isInstalled, reason: `${osRelease} names no release of Debian.` };
  const ran = await runProgram(debsecan, ["--suite", suite], {
    ...asNobody(),
    timeoutMs: DEBSECAN_MS,
    mostOutputBytes: DEBSECAN_BYTES,
  });
  if (ran.code === TIMED_OUT)
    return { known: false, isInstalled, reason: `debsecan got no data within ${DEBSECAN_MS / 1_000} s.` };
  if (ran.code !== 0) return { known: false, isInstalled, reason: `debsecan failed: ${lastLines(ran, 1)}` };
  return { known: true, isInstalled, ...readDebsecan(ran.stdout) };
}

function asNobody(): RunOptions {
  return process.getuid?.() === 0 ? AS_NOBODY : {};
}

/**
 * Arguments of apt-get(8) that print what an upgrade would install, and change nothing. Without `--with-new-pkgs` it would hold back
 * packages that need a new one, such as each new kernel.
 */
export const SIMULATED_UPGRADE = ["-s", "-q", "-o", "Debug::NoLocking=1", "--with-new-pkgs", "upgrade"] as const;

/**
 * Reads the output of apt-get: a line for each package that would be installed. A new one has no version in brackets.
 *
 *     Inst openssl [3.0.17-1] (3.0.18-1 Debian-Security:12/oldstable-security [amd64])
 *     Inst linux-image-6.1.0-41-amd64 (6.1.158-1 Debian-Security:12/oldstable-security [amd64])
 */
export function readUpgrade(output: string): UpdateFigures["packages"] {
  return output.split("\n").flatMap((line) => {
    const [, name, version, origins] = /^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) ([^)]*)\)/.exec(line) ?? [];
    if (name === undefined || version === undefined || origins === undefined) return [];
    return [{ name, version, isSecurity: /:\S*-security\b/i.test(origins) }];
  });
}

/** Reads the output of `debsecan --suite` (debsecan(1)), such as `CVE-2026-1234 libc6 (fixed, remotely exploitable, high urgency)`. */
export function readDebsecan(output: string): HoleFigures {
  const fixable = new Map<string, string[]>();
  const unfixed = new Set<string>();
  for (const line of output.split("\n")) {
    const [, hole, name, notes = ""] = /^(\S+) (\S+)(?: \((.*)\))?$/.exec(line) ?? [];
    if (hole === undefined || name === undefined) continue;
    if (!notes.split(", ").includes("fixed")) unfixed.add(hole);
    else fixable.set(name, [...(fixable.get(name) ?? []), hole]);
  }
  return { fixable: [...fixable].map(([name, cves]) => ({ name, cves })), unfixed: unfixed.size };
}
