import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { lastLines, runProgram } from "../adapters/run-program.ts";
import type { Outcome } from "../engine/ports.ts";
import { type Layout, USERS } from "../settings/layout.ts";
import { PACKAGE_FORMAT, parsePackages, removable } from "./removable-packages.ts";
import { isForeign } from "./set-up/data-directory.ts";
import { lockHolder } from "./set-up/lock.ts";
import { endOrphans } from "./set-up/orphans.ts";
import { processesOf, signal } from "./set-up/processes.ts";
import { removeFirewallTable } from "./set-up/supervise.ts";

export type UninstallOptions = Readonly<{
  /** Deletes the data directory with all mail. */
  purgeData: boolean;
  /** Removes the Debian packages that set-up installed. */
  packages: boolean;
}>;

const STOP_MS = 25_000;
const POLL_MS = 50;
/** Members before the groups that they are in. */
const ADDED_USERS = [USERS.web, USERS.mail, USERS.fail2ban, USERS.guard];
const ADDED_GROUPS = [USERS.accountsGroup, USERS.dataGroup, USERS.logsGroup];

/** What `uninstall` would do, a sentence each, in the order in which it would. Changes nothing. */
export async function planUninstall(layout: Layout, options: UninstallOptions): Promise<readonly string[]> {
  const users = await existing("passwd", ADDED_USERS);
  const groups = await existing("group", ADDED_GROUPS);
  const packages = await packagesToRemove(layout);
  return [
    ...(processesOf(layout.data).length > 0 ? ["Stop the running server."] : []),
    "Delete the firewall table inet ghostinbox, if it is there.",
    ...(users.length > 0 ? [`Remove the system users ${users.join(", ")}.`] : []),
    ...(groups.length > 0
      ? [`Remove the system ${groups.length === 1 ? "group" : "groups"} ${groups.join(", ")}.`]
      : []),
    ...packagesSentences(packages, options),
    ...(existsSync(layout.data) ? [dataSentence(layout.data, options)] : []),
  ];
}

/** Does what `planUninstall` tells; stops at the first step that fails. Needs root. */
export async function uninstall(layout: Layout, options: UninstallOptions): Promise<Outcome> {
  if (process.getuid?.() !== 0) return failed("Only root can uninstall GhostInbox.");
  // Everything is thought over before anything is done.
  const { going, keepingFiles } = options.packages ? await packagesToRemove(layout) : NO_PACKAGES;
  const others = going.length === 0 ? [] : await alsoRemoved(going);
  if (others.length > 0)
    return failed(`Without --packages it works; with it these would go too, for they need some: ${others.join(", ")}.`);
  if (options.purgeData && existsSync(layout.data) && isForeign(layout.data))
    return failed(`${layout.data} holds no ghostinbox.toml, so it is not deleted.`);

  await stopServer(layout);
  await removeFirewallTable();
  const users = await removeUsers(layout.data);
  if (!users.ok) return users;
  const removed = await removePackages(going, keepingFiles);
  if (!removed.ok) return removed;
  if (options.packages) rmSync(join(layout.data, "installed-packages"), { force: true });
  if (options.purgeData) rmSync(layout.data, { recursive: true, force: true });
  return { ok: true };
}

function packagesSentences({ going, staying }: Packages, { packages: remove }: UninstallOptions): readonly string[] {
  const count = going.length === 1 ? "Debian package" : `${going.length} Debian packages`;
  const what = remove
    ? `Remove the ${count} that set-up installed, with configuration`
    : `Leave the ${count} that set-up installed (--packages removes what is no longer needed)`;
  return [
    ...(going.length > 0 ? [`${what}: ${going.join(" ")}.`] : []),
    ...(remove && staying.length > 0 ? [`Leave what other packages need by now: ${staying.join(" ")}.`] : []),
  ];
}

function dataSentence(data: string, { purgeData }: UninstallOptions): string {
  return purgeData
    ? `Delete ${data} with all mail, accounts and settings.`
    : `Leave ${data} with all mail, accounts and settings, owned by root (--purge-data deletes it).`;
}

async function stopServer(layout: Layout): Promise<void> {
  const holder = lockHolder(layout.startPid);
  if (holder !== null) signal(holder, "SIGTERM");
  const deadline = performance.now() + STOP_MS;
  while (lockHolder(layout.startPid) !== null && performance.now() < deadline) await pause(POLL_MS);
  await endOrphans(layout.data);
}

async function removeUsers(data: string): Promise<Outcome> {
  // Their numbers may be given to others one day, who could then read these files.
  for (const group of existsSync(data) ? await existing("group", [...ADDED_USERS, ...ADDED_GROUPS]) : [])
    await runProgram("chown", ["-R", "-h", `--from=:${group}`, ":root", data]);
  for (const user of await existing("passwd", ADDED_USERS)) {
    if (existsSync(data)) await runProgram("chown", ["-R", "-h", `--from=${user}`, "root:root", data]);
    const removed = await runProgram("userdel", [user]);
    if (removed.code !== 0) return failed(`userdel ${user} failed: ${lastLines(removed)}`);
  }
  // userdel takes a user's own group along unless it still has members.
  for (const group of await existing("group", [...ADDED_USERS, ...ADDED_GROUPS])) {
    const removed = await runProgram("groupdel", [group]);
    if (removed.code !== 0) return failed(`groupdel ${group} failed: ${lastLines(removed)}`);
  }
  return { ok: true };
}

async function existing(database: "passwd" | "group", names: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(names.map((name) => runProgram("getent", [database, name])));
  return names.filter((_, index) => found[index]?.code === 0);
}

type Packages = Readonly<{
  going: readonly string[];
  /** Of these, those whose configuration was here before. */
  keepingFiles: readonly string[];
  /** Installed by set-up too, and needed by others. */
  staying: readonly string[];
}>;

const NO_PACKAGES: Packages = { going: [], keepingFiles: [], staying: [] };

/** What set-up recorded; package names of Debian only (deb-control(5)), for they become arguments. */
async function packagesToRemove(layout: Layout): Promise<Packages> {
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

async function removePackages(going: readonly string[], keepingFiles: readonly string[]): Promise<Outcome> {
  for (const [verb, names] of [
    ["remove", keepingFiles],
    ["purge", going.filter((name) => !keepingFiles.includes(name))],
  ] as const) {
    if (names.length === 0) continue;
    const removed = await runProgram("apt-get", [verb, "-y", "-q", ...names], {
      timeoutMs: 600_000,
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
    if (removed.code !== 0) return failed(`apt-get ${verb} failed: ${lastLines(removed)}`);
  }
  return { ok: true };
}

/** Packages that apt would remove besides these. */
async function alsoRemoved(packages: readonly string[]): Promise<readonly string[]> {
  const plan = await runProgram("apt-get", ["remove", "-s", ...packages]);
  const going = plan.stdout.split("\n").flatMap((line) => /^Remv (\S+)/.exec(line)?.[1] ?? []);
  return going.filter((name) => !packages.includes(name));
}

function failed(reason: string): Outcome {
  return { ok: false, reason };
}
