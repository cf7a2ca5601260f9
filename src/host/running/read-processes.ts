import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { readOr } from "../../core/error.ts";
import { beginOrNothing, textOrNothing } from "../machine/read-text.ts";

/**
 * One running process as /proc shows it (proc(5)). Without CAP_SYS_PTRACE, as in most containers, root cannot see the
 * executable, the directories and the open files of other users' processes, so these are empty.
 */
export type Process = Readonly<{
  pid: number;
  parent: number;
  /** The ids of its real, effective, saved and file system user. */
  users: readonly number[];
  args: readonly string[];
  exe: string;
  cwd: string;
  /** Whether it has its own PID namespace. */
  isContained: boolean;
  /** Read on demand: whether it is in a user namespace that was created without root's rights. */
  isUnshared: () => boolean;
  /** Read on demand: the identity of its network namespace; null if it has ended. */
  network: () => string | null;
  /** Read on demand: whether it sees a different directory under this name, as in a separate mount namespace. */
  seesOther: (directory: string) => boolean;
  /** Read on demand: its root directory, open files and environment. */
  used: () => readonly string[];
}>;

/** Identifies a process for people. Unlike its id, the name does not fit a new process with the same id. */
export function nameOf({ pid, exe, args }: Process): string {
  return [pid, exe, ...args].join(" ");
}

export function listProcesses(): readonly Process[] {
  return allPids().flatMap(readProcess);
}

export function allPids(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The kernel's name for a process, of at most 15 bytes (proc(5), /proc/PID/comm). Empty if it has ended. */
export function commandOf(pid: number): string {
  return textOrNothing(`/proc/${pid}/comm`).trim();
}

export function allCommands(): ReadonlySet<string> {
  return new Set(allPids().map(commandOf));
}

/** The processes that belong, and all their descendants. */
export function withDescendants<One extends Pick<Process, "pid" | "parent">>(
  all: readonly One[],
  belongs: (one: One) => boolean,
): readonly One[] {
  const children = Map.groupBy(all, ({ parent }) => parent);
  const found = new Set(all.filter(belongs));
  for (const { pid } of found) for (const child of children.get(pid) ?? []) found.add(child);
  return [...found];
}

/**
 * Empty if the process has ended. This includes a zombie, which has no memory left. Most callers need only few of a machine's
 * processes, or little of each, so the rest is read on demand.
 */
function readProcess(pid: number): readonly Process[] {
  const status = textOrNothing(`/proc/${pid}/status`);
  if (!status.includes("\nVmSize:")) return [];
  const args = once(() => beginOrNothing(`/proc/${pid}/cmdline`).split("\0").slice(0, -1));
  const exe = once(() => linkOf(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ""));
  const cwd = once(() => linkOf(`/proc/${pid}/cwd`));
  return [
    {
      pid,
      parent: numbersIn(status, "PPid")[0] ?? 0,
      users: numbersIn(status, "Uid"),
      get args() {
        return args();
      },
      get exe() {
        return exe();
      },
      get cwd() {
        return cwd();
      },
      isContained: numbersIn(status, "NSpid").length > 1,
      isUnshared: () => isUnshared(pid),
      network: () => networkOf(pid),
      seesOther: (directory) => seesOther(pid, directory),
      used: () => usedBy(pid),
    },
  ];
}

function once<T>(read: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= read());
}

function numbersIn(status: string, name: string): readonly number[] {
  const from = status.indexOf(`\n${name}:`);
  if (from < 0) return [];
  const line = status.slice(from + name.length + 2, status.indexOf("\n", from + 1));
  return line.trim().split(/\s+/).map(Number);
}

/**
 * The number of the kernel's own routing socket in a network namespace: each namespace has its own, and every user can
 * read it, unlike /proc/PID/ns/net.
 */
export function networkOf(pid: number): string | null {
  return /^\S+ +0 +0 .* (\d+) *$/m.exec(textOrNothing(`/proc/${pid}/net/netlink`))?.[1] ?? null;
}

/**
 * Only root, or the set-user-ID helper for users in subuid(5), can map more than one user into a user namespace
 * (user_namespaces(7)). Every user can read the map, unlike /proc/PID/ns/user.
 */
function isUnshared(pid: number): boolean {
  const map = readOr(() => readFileSync(`/proc/${pid}/uid_map`, "utf8"), null);
  if (map === null) return false;
  return map
    .split("\n")
    .filter((line) => line !== "")
    .every((line) => line.trim().split(/\s+/)[2] === "1");
}

/** A process in a chroot may have no such directory. It sees a different one if its root differs from the directory of that name here. */
function seesOther(pid: number, directory: string): boolean {
  const theirs = identityOf(`/proc/${pid}/root${directory}`);
  if (theirs !== null) return theirs !== identityOf(directory);
  const root = linkOf(`/proc/${pid}/root`);
  if (!`${root}/`.includes(`${directory}/`) || root.endsWith(" (deleted)")) return false;
  const own = identityOf(`/proc/${pid}/root/`);
  return own !== null && own !== identityOf(root);
}

/** Null if the file is not visible. */
function identityOf(path: string): string | null {
  return readOr(() => {
    const { dev, ino } = statSync(path);
    return `${dev} ${ino}`;
  }, null);
}

function usedBy(pid: number): readonly string[] {
  return [linkOf(`/proc/${pid}/root`), ...openFiles(pid), ...beginOrNothing(`/proc/${pid}/environ`).split("\0")];
}

/** The names of its open files, such as `socket:[INODE]`, if /proc shows them. */
export function openFiles(pid: number): readonly string[] {
  return descriptorsOf(pid).map(linkOf);
}

/** The names of its files that are open for writing, as the links' permissions show (proc_pid_fd(5)). */
export function writtenFiles(pid: number): readonly string[] {
  return descriptorsOf(pid)
    .filter((fd) => readOr(() => (lstatSync(fd).mode & 0o200) !== 0, false))
    .map(linkOf);
}

function descriptorsOf(pid: number): readonly string[] {
  return readOr(() => readdirSync(`/proc/${pid}/fd`), []).map((fd) => `/proc/${pid}/fd/${fd}`);
}

/** The memory of this machine or container, in bytes. */
export function memoryHere(): number {
  const most = process.constrainedMemory();
  return most > 0 ? Math.min(most, totalmem()) : totalmem();
}

/** How many bytes of it are free, or can be freed at once. In a container, Node counts cached files as used memory. */
export function freeMemoryHere(): number {
  return Math.min(process.availableMemory() + cachedHere(), freemem());
}

/** Free bytes of the machine's swap. */
export function freeSwapHere(): number {
  return 1024 * (numbersIn(textOrNothing("/proc/meminfo"), "SwapFree")[0] ?? 0);
}

/** Bytes of files that this cgroup keeps in memory (cgroups(7)). */
function cachedHere(): number {
  const groups = textOrNothing("/proc/self/cgroup");
  const first = /^\d+:memory:(.*)$/m.exec(groups)?.[1];
  const root = first === undefined ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
  const own = first ?? /^0::(.*)$/m.exec(groups)?.[1] ?? "";
  // A container may see its cgroup as the root.
  const stat = textOrNothing(`${root}${own}/memory.stat`) || textOrNothing(`${root}/memory.stat`);
  return [...stat.matchAll(/^(?:in)?active_file (\d+)$/gm)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}

/** Bytes that only this process uses, including swap (proc_pid_status(5)); 0 if it has ended. */
export function memoryOf(pid: number): number {
  const status = textOrNothing(`/proc/${pid}/status`);
  return ["RssAnon", "VmSwap"].reduce((sum, name) => sum + 1024 * (numbersIn(status, name)[0] ?? 0), 0);
}

/** `startedAt`: clock ticks from boot to the start of the process, to recognise a reused pid. */
export type Stat = Readonly<{ pid: number; name: string; state: string; parent: number; startedAt: string }>;

/** Null if the process has ended. */
export function statOf(pid: number): Stat | null {
  const text = textOrNothing(`/proc/${pid}/stat`);
  // The name may contain spaces and parentheses.
  const [from, to] = [text.indexOf("("), text.lastIndexOf(")")];
  const [state = "", parent = "", ...rest] = text.slice(to + 2).split(" ");
  if (from < 0 || to < from) return null;
  return { pid, name: text.slice(from + 1, to), state, parent: Number(parent), startedAt: rest[17] ?? "" };
}

/** Null if no process with this id runs. */
export function startTimeOf(pid: number): string | null {
  const stat = statOf(pid);
  return stat === null || stat.state === "Z" ? null : stat.startedAt;
}

function linkOf(file: string): string {
  return readOr(() => readlinkSync(file), "");
}
