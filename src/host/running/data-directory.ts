import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Layout, layoutOf } from "../../settings/layout.ts";
import { holdsMount } from "../kernel/mounts.ts";
import { textOrNothing } from "../machine/read-text.ts";
import { ourselves } from "../root-files/directory.ts";
import { removeFile, writeFile } from "../root-files/files.ts";
import { whileLocked } from "../root-files/lock-file.ts";
import { giveDirectory, makeDirectory } from "../root-files/trees.ts";
import { removeTree } from "../root-files/walk.ts";
import { answers } from "../sockets/unix-socket.ts";
import { SetUpFailure } from "./failure.ts";
import { processesOf } from "./processes.ts";
import { startTimeOf } from "./read-processes.ts";

/** A unix socket's path has at most 107 bytes (unix(7)). The longest in the data directory is one of Dovecot's. */
const LONGEST = 107 - "/run/dovecot/token-login/imap-urlauth".length;
/** Files that identify a data directory. The second replaces the first while a rollback exchanges the settings. */
const PROOF = ["ghostinbox.toml", "ghostinbox.toml.rollback", "installed-packages"];
const HARMLESS = ["run", "lost+found", ".restoring-lock"];

/** Creates the data directory. Throws SetUpFailure if it cannot be used. */
export function prepareDataDirectory(data: string): void {
  refuseBadName(data);
  if (existsSync(data) && !statSync(data).isDirectory()) throw new SetUpFailure(`${data} is not a directory.`);
  const closed = closedParent(data);
  if (closed !== null) {
    throw new SetUpFailure(
      `${data} cannot hold the data: Postfix, Dovecot and the guard may not enter ${closed}; name another place in GHOSTINBOX_DATA.`,
    );
  }
  makeDirectory(data, 0o755);
  refuseOtherOwner(data);
  // Set-up changes owners and modes in it, so it must be ours or empty.
  if (holdsForeignFiles(data))
    throw new SetUpFailure(`${data} holds files but no ghostinbox.toml: name an empty directory in GHOSTINBOX_DATA.`);
  // Before the first file is written: other users may have been able to create names in it.
  giveDirectory(data, { mode: 0o755, owner: ourselves() });
}

/** Otherwise the owner could create links in it, through which root would write before it takes the directory over. */
function refuseOtherOwner(data: string): void {
  const { uid } = statSync(data);
  if (uid !== process.getuid?.())
    throw new SetUpFailure(`${data} belongs to another user (uid ${uid}): give it to root, or name another place.`);
}

/** The name is used unquoted in shell scripts and configuration files. */
function refuseBadName(data: string): void {
  if (!/^\/[A-Za-z0-9._+@/-]+$/.test(data) || data.split("/").includes(".."))
    throw new SetUpFailure(`GHOSTINBOX_DATA must be an absolute path of letters, digits and ._+@-/, not "${data}".`);
  if (data.length > LONGEST)
    throw new SetUpFailure(
      `GHOSTINBOX_DATA must have at most ${LONGEST} characters, because sockets are created in it; it has ${data.length}.`,
    );
}

/**
 * Whether a directory holds another program's files. An interrupted set-up leaves only a few of ours, and mounts are the
 * administrator's, such as a disk for the mail. `mounts`: the text of /proc/self/mountinfo (proc(5)).
 */
export function holdsForeignFiles(data: string, mounts = readFileSync("/proc/self/mountinfo", "utf8")): boolean {
  const names = readdirSync(data);
  const isHarmless = (name: string): boolean => HARMLESS.includes(name) || holdsMount(join(data, name), mounts);
  // If only the settings file is lost, the start says where a copy is.
  const isOurs = names.some((name) => PROOF.includes(name)) || existsSync(layoutOf(data).settingsInForce);
  return !isOurs && !names.every(isHarmless);
}

/** Whether the directory exists but is not a server's, for example its parent. Commands for a server must not run on it. */
export function isForeign({ data, services }: Pick<Layout, "data" | "services">): boolean {
  if (!existsSync(data)) return false;
  return !statSync(data).isDirectory() || (holdsForeignFiles(data) && !existsSync(services));
}

/** Deletes the data directory with all mail. Deletes the files that identify it last, so that an interrupted removal can be repeated. */
export function removeDataDirectory(data: string): void {
  const last = ["run", ...PROOF];
  const others = readdirSync(data).filter((name) => !last.includes(name));
  for (const name of [...others, ...last]) removeTree(join(data, name));
  // Removes only the link, if it is one.
  removeTree(data);
}

/** The nearest parent directory that other users cannot enter; null if there is none. */
export function closedParent(path: string): string | null {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    if (existsSync(directory) && (statSync(directory).mode & 0o001) === 0) return directory;
    if (directory === dirname(directory)) return null;
  }
}

/**
 * Takes the lock for this process. Writes `PID STARTTIME SINCE`; the last, in milliseconds, distinguishes a repeated start in the
 * same process from the one before. Returns null, or the pid of the process that holds the lock already.
 */
export function takeLock(file: string): number | null {
  makeDirectory(dirname(file), 0o755);
  // Otherwise two processes that find the same dead holder would both take the lock.
  return whileLocked(file, () => {
    const holder = lockHolder(file);
    if (holder === null)
      writeFile(file, `${process.pid} ${startTimeOf(process.pid)} ${Date.now()}\n`, { mode: 0o600, flush: false });
    return holder;
  });
}

/** The pid of the process that holds the lock; null if none does. */
export function lockHolder(file: string): number | null {
  const [pid = "", startTime = ""] = textOrNothing(file).trim().split(" ");
  return /^\d+$/.test(pid) && startTime !== "" && startTimeOf(Number(pid)) === startTime ? Number(pid) : null;
}

/** Keeps a lock that another process has taken since, because a process cannot see those of another container. */
export function releaseLock(file: string): void {
  if (lockHolder(file) === process.pid) removeFile(file);
}

/** Says that nothing may change here if a server answers whose processes are not visible, as in a second container; otherwise null. */
export async function usedElsewhere({ data, controlSocket, keeperSocket }: Layout): Promise<string | null> {
  const isUsed = processesOf(data).length === 0 && ((await answers(controlSocket)) || (await answers(keeperSocket)));
  return isUsed ? `A server in another container uses ${data}: stop it first.` : null;
}
