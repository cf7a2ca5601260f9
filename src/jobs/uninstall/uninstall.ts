import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { plural } from "../../core/text.ts";
import type { Outcome } from "../../guard/ports.ts";
import { ISOLATION_TABLE } from "../../host/firewall/isolation.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { groupId, userIds } from "../../host/machine/system-users.ts";
import { UnsafePath } from "../../host/root-files/directory.ts";
import { removeFile } from "../../host/root-files/files.ts";
import { takeTree } from "../../host/root-files/trees.ts";
import { holdsForeignFiles, removeDataDirectory } from "../../host/running/data-directory.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import { processesOf } from "../../host/running/processes.ts";
import { removeTables, stopServer } from "../../host/running/stop.ts";
import { serverOfUnits, uninstallUnits, unitsOf } from "../../host/running/units.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import { readBackupRecord } from "../backup/records.ts";
import { mountsIn } from "../backup/replace-contents.ts";
import { formerBeside } from "../backup/restore.ts";
import {
  type Besides,
  readBesides,
  removeFilesBesides,
  removeOverrides,
  restoreModes,
  unclaimed,
} from "./installed-besides.ts";
import {
  alsoRemoved,
  letServicesStart,
  NO_PACKAGES,
  type Packages,
  packagesToRemove,
  reinstall,
  removeLastPackage,
  removePackages,
} from "./uninstall-packages.ts";

export type UninstallOptions = Readonly<{
  /** Deletes the data directory with all mail. */
  purgeData: boolean;
  /** Removes the Debian packages that set-up installed. */
  packages: boolean;
}>;

/** Reports the current step. */
type ReportProgress = (doing: string) => void;

/** Members before their groups. */
const ADDED_USERS = [USERS.web, USERS.export, USERS.mail, USERS.fail2ban, USERS.guard];
const ADDED_GROUPS = [USERS.accountsGroup, USERS.dataGroup, USERS.logsGroup];

/** The steps of `uninstall`, one sentence each, in order. Changes nothing. */
export async function planUninstall(layout: Layout, options: UninstallOptions): Promise<readonly string[]> {
  const other = serverOfUnits(layout);
  const isOnly = other === null;
  const users = isOnly ? await existing("passwd", ADDED_USERS) : [];
  const groups = isOnly ? await existing("group", ADDED_GROUPS) : [];
  const packages = await packagesToRemove(layout).catch((error: unknown) => {
    // The packages stay, so a broken dpkg need not prevent the rest.
    if (error instanceof SetUpFailure && !options.packages) return NO_PACKAGES;
    throw error;
  });
  return [
    ...(processesOf(layout.data).length > 0 ? ["Stop the running server."] : []),
    ...(isOnly && unitsOf().length > 0 ? ["Remove its systemd units."] : []),
    ...(isOnly ? [] : [`Leave the systemd units, the users and the packages: the server in ${other} needs them.`]),
    "Delete the firewall tables inet ghostinbox, ghostinbox_strict and ghostinbox_isolation, if they are there.",
    ...(users.length > 0 ? [`Remove the system users ${users.join(", ")}.`] : []),
    ...(groups.length > 0
      ? [`Remove the system ${groups.length === 1 ? "group" : "groups"} ${groups.join(", ")}.`]
      : []),
    ...(isOnly ? packagesSentences(packages, options) : []),
    ...(isOnly && options.packages ? besidesSentences(readBesides(layout)) : []),
    ...(existsSync(layout.data) ? [dataSentence(layout, options)] : []),
    ...(isOnly
      ? listed([["Leave the data from before a restore, with its mail, owned by root", formerBeside(layout.data)]])
      : []),
  ];
}

/** Runs the steps of `planUninstall`; stops at the first failure. An interrupted run can be repeated. Needs root. */
export async function uninstall(layout: Layout, options: UninstallOptions, report: ReportProgress): Promise<Outcome> {
  if (process.getuid?.() !== 0) return failed("Only root can uninstall GhostInbox.");
  // Everything is planned before anything is done.
  const isOnly = serverOfUnits(layout) === null;
  const packages = isOnly && options.packages ? await packagesToRemove(layout) : NO_PACKAGES;
  const others = await alsoRemoved(packages);
  if (others.length > 0)
    return failed(
      `These packages depend on ones that would be removed, so they would be removed too: ${others.join(", ")}. Omit --packages to keep them.`,
    );
  const kept = options.purgeData ? whyKept(layout.data) : null;
  if (kept !== null) return failed(kept);

  try {
    return await carryOut(layout, options, { packages, isOnly, report });
  } catch (error) {
    if (error instanceof UnsafePath) return failed(error.message);
    throw error;
  }
}

/** Why a data directory is not deleted; null if it may be. Exported for its test. */
export function whyKept(data: string): string | null {
  if (existsSync(data) && holdsForeignFiles(data)) return `${data} holds no ghostinbox.toml, so it is not deleted.`;
  // A disk with backups may be among them.
  const [mount] = mountsIn(data);
  return mount === undefined
    ? null
    : `${join(data, mount)} is a separate mount, which is not deleted: unmount it first, then delete what it holds yourself.`;
}

const DONE: Outcome = { ok: true };

/** `isOnly`: no other server needs the units, users and packages. */
type Work = Readonly<{ packages: Packages; isOnly: boolean; report: ReportProgress }>;

async function carryOut(layout: Layout, options: UninstallOptions, work: Work): Promise<Outcome> {
  const { packages, isOnly, report } = work;
  report("Stopping the server");
  // First, or systemd would start it again.
  const units = isOnly ? await uninstallUnits() : DONE;
  if (!units.ok) return units;
  const stopped = await stopServer(layout);
  if (!stopped.ok) return stopped;
  const blocked = await removeTables(layout.data, ISOLATION_TABLE);
  if (blocked !== null) return failed(`The server is stopped, but ${blocked}`);
  if (isOnly) report("Removing users and groups");
  const users = isOnly ? await removeUsers(layout.data, ADDED_USERS, ADDED_GROUPS) : DONE;
  if (!users.ok) return users;
  if (isOnly) letServicesStart();
  if (isOnly && options.packages) {
    const taken = await removeInstalledPackages(layout, work);
    if (!taken.ok) return taken;
  }
  if (options.purgeData && existsSync(layout.data)) {
    report(`Deleting ${layout.data}`);
    removeDataDirectory(layout.data);
  }
  return removeLastPackage(packages);
}

async function removeInstalledPackages({ data }: Layout, { packages, report }: Work): Promise<Outcome> {
  const besides = readBesides({ data });
  if (packages.returning.length > 0) report(`Installing ${packages.returning.join(" ")}`);
  const again = await reinstall(packages, besides.auto);
  if (!again.ok) return again;
  report(`Removing ${plural(packages.going.length, "Debian package")}`);
  const removed = await removePackages(packages);
  if (!removed.ok) return removed;
  restoreModes(besides);
  const users = await removeUsers(data, unclaimed(besides.users), unclaimed(besides.groups));
  if (!users.ok) return users;
  await removeFilesBesides(besides);
  await removeOverrides(besides);
  // Packages that others still need are removed another time.
  if (packages.staying.length === 0)
    for (const record of ["installed-packages", "installed-besides", "services-to-stop"])
      removeFile(join(data, record));
  return { ok: true };
}

/** Exported for its test. */
export function besidesSentences({ users, groups, files, directories }: Besides): readonly string[] {
  return listed([
    ["Remove the users and groups that they added and nothing else needs", [...new Set([...users, ...groups])]],
    ["Delete unchanged files that they left and no package owns", counted(files.map(({ path }) => path))],
    ["Delete these directories, if they are empty", topmost(directories)],
  ]);
}

function listed(sentences: readonly (readonly [what: string, names: readonly string[]])[]): readonly string[] {
  return sentences.flatMap(([what, names]) => (names.length > 0 ? [`${what}: ${names.join(" ")}`] : []));
}

/** Names a directory with several of them instead, with their number: there are hundreds of certificates. */
function counted(paths: readonly string[]): readonly string[] {
  const groups = Map.groupBy(paths, (path) => dirname(path));
  return [...groups]
    .map(([directory, [first = "", ...others]]) =>
      others.length === 0 || directory === "/etc"
        ? [first, ...others].join(" ")
        : `${directory} (${others.length + 1})`,
    )
    .toSorted();
}

/** Omits directories inside others. */
function topmost(directories: readonly string[]): readonly string[] {
  return directories.filter((path) => !directories.includes(dirname(path))).toSorted();
}

function packagesSentences(packages: Packages, options: UninstallOptions): readonly string[] {
  const { going, staying, returning, absent } = packages;
  if (!options.packages)
    return listed([[`Leave the ${countOf(going)} that set-up installed (${hint(options)})`, going]]);
  return listed([
    ["Reinstall the packages that set-up's packages replaced", returning],
    [`Remove the ${countOf(going)} that set-up installed, with configuration`, going],
    ["Keep what other packages now depend on", staying],
    ["Do not reinstall, because that would remove other packages", absent],
  ]);
}

function countOf(packages: readonly string[]): string {
  return packages.length === 1 ? "Debian package" : `${packages.length} Debian packages`;
}

function hint({ purgeData }: UninstallOptions): string {
  const says = "--packages removes what is no longer needed";
  return purgeData ? `${says}; not later, because their list is deleted with the data directory` : says;
}

/** Exported for its test. */
export function dataSentence(layout: Layout, { purgeData }: Pick<UninstallOptions, "purgeData">): string {
  const { data, backupKey, backupRepository } = layout;
  const backups = existsSync(backupRepository) ? ["the backups in it"] : [];
  const key = existsSync(backupKey) ? [backups.length > 0 ? "their key" : "the key of its backups"] : [];
  const all = new Intl.ListFormat("en-GB").format(["all mail", "accounts", "settings", ...backups, ...key]);
  if (!purgeData) return `Leave ${data} with ${all}, owned by root (--purge-data deletes it).`;
  const warning =
    key.length > 0 && !readBackupRecord(layout).isKeySeen
      ? ` THIS KEY HAS NEVER BEEN SHOWN: without it, no copy of a backup can be read anywhere. First: ./ghostinbox backup key`
      : "";
  return `Delete ${data} with ${all}.${warning}`;
}

async function removeUsers(data: string, added: readonly string[], addedGroups: readonly string[]): Promise<Outcome> {
  const users = await existing("passwd", added);
  const groups = await existing("group", [...added, ...addedGroups]);
  takeAll(data, new Set(users.map((user) => userIds(user).uid)), new Set(groups.map((group) => groupId(group))));
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

/** Their ids may be reused for other users one day, who could then read these files. Exported for its test. */
export function takeAll(data: string, users: ReadonlySet<number>, groups: ReadonlySet<number>): void {
  for (const path of [data, ...formerBeside(data)]) if (existsSync(path)) takeTree(path, users, groups);
}

async function existing(database: "passwd" | "group", names: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(names.map((name) => runProgram("getent", [database, name])));
  return names.filter((_, index) => found[index]?.code === 0);
}

function failed(reason: string): Outcome {
  return { ok: false, reason };
}
