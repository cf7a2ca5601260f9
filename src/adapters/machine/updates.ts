import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { HoleFigures, ReportFacts, Unless, UpdateFigures } from "../../core/report/facts.ts";
import { DAY_MS, instant, isoTime, type Millis } from "../../core/time.ts";
import { readUpgrade, SIMULATED_UPGRADE } from "../../wire/debian/apt.ts";
import { readDebsecan } from "../../wire/debian/debsecan.ts";
import { makeDirectory } from "../root-files/trees.ts";
import { lastLines, type RunOptions, runProgram } from "./run-program.ts";

/** Both programs run without rights, as the user and group nobody: forged lists or answers gain none. */
const AS_NOBODY = { uid: 65_534, gid: 65_534 };
const APT_LISTS = "/var/lib/apt/lists";
const DEBSECAN = "/usr/bin/debsecan";
/** Two seconds of work, on a machine that may be busy. */
const APT_MS = 120_000;
/** It downloads its data each time. */
const DEBSECAN_MS = 60_000;

/** `aptConfig`: read by apt before its own configuration (apt.conf(5)); as for apt itself, the environment may name it. */
export type UpdateSources = Readonly<{ lists: string; debsecan: string; osRelease: string; aptConfig?: string }>;
const OF_THIS_MACHINE: UpdateSources = { lists: APT_LISTS, debsecan: DEBSECAN, osRelease: "/etc/os-release" };

/** Where apt keeps its lists in the image (docker/apt.conf). */
export const IMAGE_LISTS = "/run/apt/lists";
const OF_THE_IMAGE: UpdateSources = { ...OF_THIS_MACHINE, lists: IMAGE_LISTS };
const FETCH_MS = 120_000;

/** The same for the image, which fetches the lists first: nothing else does so in a container. Never rejects. */
export async function imageUpdates(now: Millis): Promise<Unless<UpdateFigures>> {
  const failed = await fetchLists(now);
  if (failed !== null) return { known: false, reason: failed };
  const waiting = await waitingUpdates(OF_THE_IMAGE);
  return waiting.known ? { ...waiting, isImage: true } : waiting;
}

/** Fetches Debian's package lists into a container's memory, at most once a day. Null, or why it failed. Never rejects. */
export async function fetchLists(now: Millis): Promise<string | null> {
  const times = globSync(join(IMAGE_LISTS, "*_Packages*")).map((file) => statSync(file).ctimeMs);
  if (times.some((at) => now - at < DAY_MS)) return null;
  makeDirectory(dirname(IMAGE_LISTS), 0o755);
  const asked = await runProgram("apt-get", ["update", "-q", "-o", "Acquire::http::Timeout=15"], {
    timeoutMs: FETCH_MS,
  });
  // It exits with 0 after most failures and only prints them.
  const failure =
    /^(?:E|W: Failed to fetch|W: Some index files failed).*/m.exec(asked.stderr)?.[0] ??
    (asked.code === 0 ? null : lastLines(asked, 1));
  return failure === null ? null : `Debian's lists of packages cannot be fetched: ${failure}`;
}

/** Packages that wait to be upgraded, by the lists that apt has. Never rejects. */
export async function waitingUpdates(sources: UpdateSources = OF_THIS_MACHINE): Promise<Unless<UpdateFigures>> {
  const { lists, aptConfig = process.env["APT_CONFIG"] } = sources;
  const env: Readonly<Record<string, string>> = aptConfig === undefined ? {} : { APT_CONFIG: aptConfig };
  const asked = await runProgram("apt-get", SIMULATED_UPGRADE, { ...asNobody(), env, timeoutMs: APT_MS });
  if (asked.code === 127) return { known: false, reason: "apt-get cannot be run here." };
  if (asked.code !== 0) return { known: false, reason: `apt-get says: ${lastLines(asked, 1)}` };
  const listsAt = existsSync(lists) ? isoTime(instant(Math.floor(statSync(lists).mtimeMs))) : null;
  return { known: true, listsAt, isImage: false, packages: readUpgrade(asked.stdout) };
}

/** Packages with known vulnerabilities, by debsecan(1). Never rejects. */
export async function knownHoles(sources: UpdateSources = OF_THIS_MACHINE): Promise<ReportFacts["holes"]> {
  const { debsecan, osRelease } = sources;
  if (!existsSync(debsecan)) return { known: false, isInstalled: false, reason: "debsecan is not installed." };
  const isInstalled = true;
  const suite = suiteOf(osRelease);
  if (suite === null) return { known: false, isInstalled, reason: `${osRelease} names no release of Debian.` };
  const asked = await runProgram(debsecan, ["--suite", suite], { ...asNobody(), timeoutMs: DEBSECAN_MS });
  if (asked.code === 124)
    return { known: false, isInstalled, reason: `debsecan got no data within ${DEBSECAN_MS / 1_000} s.` };
  if (asked.code !== 0) return { known: false, isInstalled, reason: `debsecan says: ${lastLines(asked, 1)}` };
  const found: HoleFigures = readDebsecan(asked.stdout);
  return { known: true, isInstalled, ...found };
}

function suiteOf(osRelease: string): string | null {
  if (!existsSync(osRelease)) return null;
  return /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(readFileSync(osRelease, "utf8"))?.[1] ?? null;
}

function asNobody(): RunOptions {
  return process.getuid?.() === 0 ? AS_NOBODY : {};
}
