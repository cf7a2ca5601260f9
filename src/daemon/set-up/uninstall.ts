import { existsSync } from "node:fs";
import { join } from "node:path";
import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import { removeFile } from "../../adapters/root-files/files.ts";
import { takeTree } from "../../adapters/root-files/trees.ts";
import { UnsafePath } from "../../adapters/root-files/unsafe-path.ts";
import { removeTree } from "../../adapters/root-files/walk.ts";
import type { Outcome } from "../../engine/ports.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import { holdsForeignFiles } from "./data-directory.ts";
import { type Besides, readBesides, removeFilesBesides, unclaimed } from "./installed-besides.ts";
import { processesOf } from "./processes.ts";
import { groupId, userIds } from "./site.ts";
import { stopServer } from "./stop.ts";
import { removeFirewallTable } from "./supervise.ts";
import {
  alsoRemoved,
  installAgain,
  NO_PACKAGES,
  type Packages,
  packagesToRemove,
  removePackages,
} from "./uninstall-packages.ts";

export type UninstallOptions = Readonly<{
  /** Deletes the data directory with all mail. */
  purgeData: boolean;
  /** Removes the Debian packages that set-up installed. */
  packages: boolean;
}>;

/** Members before the groups that they are in. */
const ADDED_USERS = [USERS.web, USERS.mail, USERS.fail2ban, USERS.guard];
const ADDED_GROUPS = [USERS.accountsGroup, USERS.dataGroup, USERS.logsGroup];

/** The steps of `uninstall`, one sentence each, in order. Changes nothing. */
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
    ...(options.packages ? besidesSentences(readBesides(layout)) : []),
    ...(existsSync(layout.data) ? [dataSentence(layout.data, options)] : []),
  ];
}

/** Does the steps of `planUninstall`; stops at the first one that fails. Needs root. */
export async function uninstall(layout: Layout, options: UninstallOptions): Promise<Outcome> {
  if (process.getuid?.() !== 0) return failed("Only root can uninstall GhostInbox.");
  // Everything is planned before anything is done.
  const packages = options.packages ? await packagesToRemove(layout) : NO_PACKAGES;
  const others = await alsoRemoved(packages.going);
  if (others.length > 0)
    return failed(`Without --packages it works; with it these would go too, for they need some: ${others.join(", ")}.`);
  if (options.purgeData && existsSync(layout.data) && holdsForeignFiles(layout.data))
    return failed(`${layout.data} holds no ghostinbox.toml, so it is not deleted.`);

  try {
    return await takeBack(layout, options, packages);
  } catch (error) {
    if (error instanceof UnsafePath) return failed(error.message);
    throw error;
  }
}

async function takeBack(layout: Layout, options: UninstallOptions, packages: Packages): Promise<Outcome> {
  const stopped = await stopServer(layout);
  if (!stopped.ok) return stopped;
  await removeFirewallTable();
  const users = await removeUsers(layout.data, ADDED_USERS, ADDED_GROUPS);
  if (!users.ok) return users;
  if (options.packages) {
    const taken = await takePackagesBack(layout, packages);
    if (!taken.ok) return taken;
  }
  if (options.purgeData) removeTree(layout.data);
  return { ok: true };
}

async function takePackagesBack({ data }: Layout, packages: Packages): Promise<Outcome> {
  const besides = readBesides({ data });
  const removed = await removePackages(packages);
  if (!removed.ok) return removed;
  const users = await removeUsers(data, unclaimed(besides.users), unclaimed(besides.groups));
  if (!users.ok) return users;
  await removeFilesBesides(besides);
  const again = await installAgain(besides.removed);
  if (again.ok) for (const record of ["installed-packages", "installed-besides"]) removeFile(join(data, record));
  return again;
}

/** Exported for its test. */
export function besidesSentences({ users, groups, files, directories, removed }: Besides): readonly string[] {
  const names = [...new Set([...users, ...groups])];
  return [
    ...(names.length > 0
      ? [`Remove the users and groups that they added and nothing else needs: ${names.join(" ")}.`]
      : []),
    ...(files.length > 0
      ? [`Delete what they left, where it is unchanged and of no package: ${files.map(({ path }) => path).join(" ")}.`]
      : []),
    ...(directories.length > 0 ? [`Delete these directories, where they are empty: ${directories.join(" ")}.`] : []),
    ...(removed.length > 0 ? [`Install again what had to make room for them: ${removed.join(" ")}.`] : []),
  ];
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

async function removeUsers(data: string, added: readonly string[], addedGroups: readonly string[]): Promise<Outcome> {
  const users = await existing("passwd", added);
  const groups = await existing("group", [...added, ...addedGroups]);
  // Their numbers may be given to other users one day, who could then read these files.
  if (existsSync(data))
    takeTree(data, new Set(users.map((user) => userIds(user).uid)), new Set(groups.map((group) => groupId(group))));
  for (const user of users) {
    const removed = await runProgram("userdel", [user]);
    if (removed.code !== 0) return failed(`userdel ${user} failed: ${lastLines(removed)}`);
  }
  // userdel also removes a user's own group unless it still has members.
  for (const group of await existing("group", [...added, ...addedGroups])) {
    const removed = await runProgram("groupdel", [group]);
    if (removed.code !== 0) return failed(`groupdel ${group} failed: ${lastLines(removed)}`);
  }
  return { ok: true };
}

async function existing(database: "passwd" | "group", names: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(names.map((name) => runProgram("getent", [database, name])));
  return names.filter((_, index) => found[index]?.code === 0);
}

function failed(reason: string): Outcome {
  return { ok: false, reason };
}
