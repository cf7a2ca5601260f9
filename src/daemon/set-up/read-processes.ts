import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/**
 * One running process as /proc shows it (proc(5)). What root may not see without CAP_SYS_PTRACE, as in most containers,
 * is empty: the executable, the directories and the open files of a process of another user.
 */
export type Process = Readonly<{
  pid: number;
  parent: number;
  /** Its real, effective, saved and file system user. */
  users: readonly number[];
  args: readonly string[];
  exe: string;
  cwd: string;
  /** Whether it has a PID namespace of its own. */
  isContained: boolean;
  /** Looked up when asked for: whether it is in a user namespace that was made without root's rights. */
  leftByItself: () => boolean;
  /** Looked up when asked for: what tells its network namespace from others; null where it has ended. */
  network: () => string | null;
  /** Looked up when asked for: its root directory, what it has open, and its environment. */
  used: () => readonly string[];
}>;

export function listProcesses(): readonly Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)));
}

/** Empty where it has ended, a zombie among them: it has no memory left. */
function readProcess(pid: number): readonly Process[] {
  const status = textOf(`/proc/${pid}/status`);
  const numbers = (name: string): readonly number[] =>
    (new RegExp(`^${name}:\\s*([\\d\\s]+)$`, "m").exec(status)?.[1] ?? "").trim().split(/\s+/).map(Number);
  if (!/^VmSize:/m.test(status)) return [];
  return [
    {
      pid,
      parent: numbers("PPid")[0] ?? 0,
      users: numbers("Uid"),
      args: textOf(`/proc/${pid}/cmdline`).split("\0").slice(0, -1),
      exe: linkOf(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ""),
      cwd: linkOf(`/proc/${pid}/cwd`),
      isContained: numbers("NSpid").length > 1,
      leftByItself: () => leftByItself(pid),
      network: () => networkOf(pid),
      used: () => usedBy(pid),
    },
  ];
}

/**
 * The number of the socket by which the kernel itself speaks of routes in a network namespace: each has its own, and
 * everybody may read it, unlike /proc/PID/ns/net.
 */
export function networkOf(pid: number): string | null {
  return /^\S+ +0 +0 .* (\d+) *$/m.exec(textOf(`/proc/${pid}/net/netlink`))?.[1] ?? null;
}

/**
 * Only root, or the set-user-ID helper for the users that root lists in subuid(5), may map more than one user into a user
 * namespace (user_namespaces(7)). Everybody may read the map, unlike /proc/PID/ns/user.
 */
function leftByItself(pid: number): boolean {
  const map = orEmpty(() => readFileSync(`/proc/${pid}/uid_map`, "utf8"), null);
  if (map === null) return false;
  return map
    .split("\n")
    .filter((line) => line !== "")
    .every((line) => line.trim().split(/\s+/)[2] === "1");
}

function usedBy(pid: number): readonly string[] {
  const files = namesIn(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  return [linkOf(`/proc/${pid}/root`), ...files, ...textOf(`/proc/${pid}/environ`).split("\0")];
}

/** Numbers of those users of passwd(5) that there are. */
export function usersOf(names: readonly string[]): ReadonlySet<number> {
  const entries = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  return new Set(entries.flatMap(([name = "", , uid]) => (names.includes(name) ? [Number(uid)] : [])));
}

/** Clock ticks since boot at which the process started: tells a reused pid apart. Null where none runs. */
export function startTimeOf(pid: number): string | null {
  const stat = textOf(`/proc/${pid}/stat`);
  // The second field, the name, may hold spaces and parentheses itself; field 22 is the time.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" ? null : (fields[18] ?? null);
}

/** Empty where it has ended, or may not be read. */
function textOf(file: string): string {
  return orEmpty(() => readFileSync(file, "utf8"), "");
}

function linkOf(file: string): string {
  return orEmpty(() => readlinkSync(file), "");
}

function namesIn(directory: string): readonly string[] {
  return orEmpty(() => readdirSync(directory), []);
}

function orEmpty<T>(read: () => T, empty: T): T {
  try {
    return read();
  } catch {
    return empty;
  }
}
