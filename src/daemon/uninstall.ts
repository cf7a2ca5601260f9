import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { lastLines, runProgram } from "../adapters/run-program.ts";
import type { Outcome } from "../engine/ports.ts";
import { type Layout, USERS } from "../settings/layout.ts";
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
const ADDED_USERS = [USERS.web, USERS.mail, USERS.guard];
const ADDED_GROUPS = [USERS.accountsGroup, USERS.dataGroup];

/** What `uninstall` would do, a sentence each, in the order in which it would. Changes nothing. */
export async function planUninstall(layout: Layout, options: UninstallOptions): Promise<readonly string[]> {
  const users = await existing("passwd", ADDED_USERS);
  const groups = await existing("group", ADDED_GROUPS);
  const packages = installedPackages(layout);
  return [
    ...(processesOf(layout.data).length > 0 ? ["Stop the running server."] : []),
    "Delete the firewall table inet ghostinbox, if it is there.",
    ...(users.length > 0 ? [`Remove the system users ${users.join(", ")}.`] : []),
    ...(groups.length > 0
      ? [`Remove the system ${groups.length === 1 ? "group" : "groups"} ${groups.join(", ")}.`]
      : []),
    ...(packages.length === 0 ? [] : [packagesSentence(packages, options)]),
    ...(existsSync(layout.data) ? [dataSentence(layout.data, options)] : []),
  ];
}

/** Does what `planUninstall` tells; stops at the first step that fails. Needs root. */
export async function uninstall(layout: Layout, options: UninstallOptions): Promise<Outcome> {
  if (process.getuid?.() !== 0) return failed("Only root can uninstall GhostInbox.");
  // Everything is thought over before anything is done.
  const packages = options.packages ? installedPackages(layout) : [];
  const others = packages.length === 0 ? [] : await alsoRemoved(packages);
  if (others.length > 0)
    return failed(`Without --packages it works; with it these would go too, for they need some: ${others.join(", ")}.`);
  if (options.purgeData && existsSync(layout.data) && isForeign(layout.data))
    return failed(`${layout.data} holds no ghostinbox.toml, so it is not deleted.`);

  await stopServer(layout);
  await removeFirewallTable();
  const users = await removeUsers(layout.data);
  if (!users.ok) return users;
  if (packages.length > 0) {
    const removed = await runProgram("apt-get", ["remove", "-y", "-q", ...packages], {
      timeoutMs: 600_000,
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
    if (removed.code !== 0) return failed(`apt-get remove failed: ${lastLines(removed)}`);
    rmSync(join(layout.data, "installed-packages"), { force: true });
  }
  if (options.purgeData) rmSync(layout.data, { recursive: true, force: true });
  return { ok: true };
}

function packagesSentence(packages: readonly string[], { packages: remove }: UninstallOptions): string {
  return remove
    ? `Remove the ${packages.length} Debian packages that set-up installed: ${packages.join(" ")}.`
    : `Leave the ${packages.length} Debian packages that set-up installed (--packages removes them): ${packages.join(" ")}.`;
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

/** What set-up recorded; package names of Debian only (deb-control(5)), for they become arguments. */
function installedPackages(layout: Layout): readonly string[] {
  const file = join(layout.data, "installed-packages");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((name) => /^[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?$/.test(name));
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
