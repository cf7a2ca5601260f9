import { realpathSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { readOr } from "../../core/error.ts";
import { CONTENT_USERS, POSTGREY_USER, USERS } from "../../settings/layout.ts";
import { hasUser, userIds } from "../machine/system-users.ts";
import { listProcesses, networkOf, type Process, startTimeOf, statOf, withDescendants } from "./read-processes.ts";

/** Users that run only this product. */
const OUR_USERS = [USERS.guard, USERS.web, USERS.export, USERS.mail, USERS.fail2ban];
/** Users of Debian's packages, which may run other things on this machine. */
const SHARED_USERS = ["postfix", "dovecot", "dovenull", "unbound", POSTGREY_USER, ...Object.values(CONTENT_USERS)];

const SUPERVISORS = ["runsvdir", "runsv", "svlogd"];
const MAIL_PROGRAMS = [
  "/usr/lib/postfix/",
  "/usr/lib/dovecot/",
  "/usr/sbin/dovecot",
  "/usr/sbin/sendmail",
  "/usr/sbin/unbound",
  "/usr/bin/rspamd",
  "/usr/sbin/spamass-milter",
];
/** Interpreters, each with its programs. */
const INTERPRETED = [
  [/\/usr\/bin\/perl$/, /\b(?:spamd|postgrey)\b/],
  [/\/usr\/bin\/python3/, /\b(?:spam-head\.py|fail2ban-server)\b/],
] as const;
/** The program that runs in place of a disabled service (mail/postgrey/postgrey.ts). */
const PLACEHOLDER = "sleep infinity";

/** The paths of one data directory, as given and as resolved. */
type Names = readonly string[];

/** User ids, and the identity of the server's network namespace. */
export type Whose = Readonly<{ ours: ReadonlySet<number>; shared: ReadonlySet<number>; network: string | null }>;

/**
 * All processes of this data directory's server except this one. Two servers share users, but rarely a network, because both need
 * port 25. A process belongs to the server
 * - if it is one of its programs, points to the data directory, and runs as root or as a user of the server;
 * - if it runs as a user of ours in this network namespace, unless another supervisor runs it;
 * - if it runs as a user of one of Debian's packages, and has its working directory or an open file in the data directory;
 * - if its parent does. This is the only rule for a process in a separate PID namespace, such as a container's.
 * A process whose separate mount namespace has a different directory under that name does not point to the data directory. Namespaces
 * that our users create within a user namespace, which requires no rights, make no difference.
 */
export function processesOf(data: string): readonly Process[] {
  const whose = { ours: idsOf(OUR_USERS), shared: idsOf(SHARED_USERS), network: networkOf(process.pid) };
  return among(namesOf(data), listProcesses(), whose).filter(({ pid }) => pid !== process.pid);
}

/**
 * Whether the server of another data directory runs in this network. It then owns the firewall's tables, which have the same
 * names.
 */
export function runsForAnother(data: string): boolean {
  const whose = { ours: idsOf(OUR_USERS), network: networkOf(process.pid) };
  return isAnotherAmong(namesOf(data), listProcesses(), whose);
}

/** The users of the programs that need the server's resolver, except root. */
export function resolverUsers(): ReadonlySet<number> {
  return new Set([...idsOf([USERS.guard]), ...idsOf(SHARED_USERS)]);
}

/** The ids of those users that exist here. */
function idsOf(names: readonly string[]): ReadonlySet<number> {
  return new Set(names.filter(hasUser).map((name) => userIds(name).uid));
}

/** If the directory is behind a link, arguments contain the link's name and the kernel shows the real one (proc(5), cwd). */
export function namesOf(data: string): Names {
  const real = readOr(() => realpathSync(data), data);
  return real === data ? [data] : [data, real];
}

/** Exported for its test. */
export function isAnotherAmong(
  data: Names,
  all: readonly Process[],
  { ours, network }: Pick<Whose, "ours" | "network">,
): boolean {
  const byPid = new Map(all.map((one) => [one.pid, one]));
  return all.some((found) => {
    if (!found.users.some((user) => ours.has(user)) || network === null || found.network() !== network) return false;
    const supervisor = supervisorOf(found, byPid);
    // Anyone can start a program with that name.
    return supervisor !== null && supervisor.users.every((user) => user === 0) && !isProgram(data, supervisor);
  });
}

/** The processes in `all` that belong to the server. */
export function among(data: Names, all: readonly Process[], { ours, shared, network }: Whose): readonly Process[] {
  const byPid = new Map(all.map((one) => [one.pid, one]));
  const runsAs = (found: Process, users: ReadonlySet<number>): boolean => found.users.some((user) => users.has(user));
  // Any user can run our runtime, or name our files, and so look like a server that does not stop.
  const isOfOtherUser = ({ users }: Process): boolean =>
    users.some((user) => user !== 0 && !ours.has(user) && !shared.has(user));
  const belongs = (found: Process): boolean => {
    const left = runsAs(found, ours) && found.isUnshared() && !isInContainer(found, byPid);
    if (found.isContained && !left) return false;
    // Checked in this order, so that nothing more is read of a stranger's process.
    if (!isOfOtherUser(found) && isProgram(data, found)) return true;
    if (runsAs(found, shared)) return pointsInto(data, found);
    if (!runsAs(found, ours)) return false;
    if (!left && (network === null || found.network() !== network)) return false;
    const supervisor = supervisorOf(found, byPid);
    return supervisor === null || isProgram(data, supervisor);
  };
  return withDescendants(all, belongs);
}

/** Whether it is below a process in a PID namespace that root created, whose own users may have the same ids. */
function isInContainer(found: Process, byPid: ReadonlyMap<number, Process>): boolean {
  return ancestors(found, byPid).some((above) => above.isContained && !above.isUnshared());
}

/** The nearest supervisor above a process; null if there is none, for example because it has ended. */
function supervisorOf(found: Process, byPid: ReadonlyMap<number, Process>): Process | null {
  return ancestors(found, byPid).find(isSupervisor) ?? null;
}

function* ancestors(found: Process, byPid: ReadonlyMap<number, Process>): Generator<Process, void> {
  for (let above = byPid.get(found.parent); above !== undefined; above = byPid.get(above.parent)) yield above;
}

/**
 * Ignores a shell that merely has the directory as its working directory. Paths of a process in another mount namespace
 * may start with a chroot's, so the match is not anchored.
 */
function isProgram(data: Names, found: Process): boolean {
  const { args, exe, cwd } = found;
  const within = (path: string): boolean => isWithin(data, path);
  if (![exe, cwd, ...args].some(within) || seesOther(data, found)) return false;
  if (data.some((name) => exe.includes(`${name}/program/`))) return true;
  if (args.join(" ") === PLACEHOLDER) return data.some((name) => cwd.includes(`${name}/service/`));
  const points = within(cwd) || args.some(within);
  const ours =
    SUPERVISORS.includes(basename(exe)) ||
    MAIL_PROGRAMS.some((program) => exe.includes(program)) ||
    INTERPRETED.some(([interpreter, programs]) => interpreter.test(exe) && programs.test(args.join(" ")));
  return points && ours;
}

function pointsInto(data: Names, found: Process): boolean {
  const { args, cwd, used } = found;
  const within = (path: string): boolean => isWithin(data, path);
  return ([cwd, ...args].some(within) || used().some(within)) && !seesOther(data, found);
}

function seesOther(data: Names, found: Process): boolean {
  return data.some((name) => found.seesOther(name)) && !found.isUnshared();
}

function isWithin(data: Names, path: string): boolean {
  return data.some((name) => `${path}/`.includes(`${name}/`));
}

/** Whether a process is the main process of a service, or a descendant of it. `parentOf`: reads /proc by default. */
export function isOf(pid: number, main: number | null, parentOf = (one: number) => statOf(one)?.parent): boolean {
  if (main === null) return false;
  for (let at: number | undefined = pid; at !== undefined; at = parentOf(at)) if (at === main) return true;
  return false;
}

function isSupervisor({ exe }: Pick<Process, "exe">): boolean {
  return basename(exe) === "runsv" || basename(exe) === "runsvdir";
}

export function signal(pid: number, name: "SIGTERM" | "SIGKILL" | "SIGHUP" | "SIGCONT" | "SIGUSR2"): void {
  try {
    process.kill(pid, name);
  } catch {
    // The process has ended already, as intended.
  }
}

const POLL_MS = 50;

/** `left`: ids of processes that do not end, for example in a system call that never returns. */
export type Ended = Readonly<{ count: number; left: readonly number[] }>;

/**
 * Ends processes left by an earlier start and its programs, before root touches files of their users. Ends supervisors
 * first, because they would restart their programs.
 */
export async function endOrphans(data: string, graceMs = 8_000): Promise<Ended> {
  const found = processesOf(data);
  if (found.length === 0) return { count: 0, left: [] };
  for (const { pid } of found.filter(isSupervisor)) signal(pid, "SIGTERM");
  await becomes(() => !processesOf(data).some(isSupervisor), graceMs / 2);
  for (const { pid } of processesOf(data)) signal(pid, "SIGTERM");
  await endBy(data, graceMs / 2);
  const left = processesOf(data).map(({ pid }) => pid);
  return { count: found.length - left.length, left };
}

/** Waits for every process of the data directory to end, and kills those that do not within `graceMs`. */
export async function endBy(data: string, graceMs: number): Promise<void> {
  if (await becomes(noneOf(data), graceMs)) return;
  // Repeated, because processes can start others in between.
  await becomes(() => killAll(data) === 0, graceMs);
}

/**
 * Returns a function that tells whether no process of the data directory runs. Reading all processes of a busy machine takes 20 ms,
 * so the next full check waits until the processes that the last one found have ended.
 */
function noneOf(data: string): () => boolean {
  let known: readonly (readonly [number, string])[] = [];
  return () => {
    if (known.some(([pid, startedAt]) => startTimeOf(pid) === startedAt)) return false;
    const found = processesOf(data);
    known = found.flatMap(({ pid }) => {
      const startedAt = startTimeOf(pid);
      return startedAt === null ? [] : [[pid, startedAt] as const];
    });
    return found.length === 0;
  };
}

function killAll(data: string): number {
  const found = processesOf(data);
  for (const { pid } of found.toSorted((a, b) => Number(isSupervisor(b)) - Number(isSupervisor(a))))
    signal(pid, "SIGKILL");
  return found.length;
}

/** Waits until the condition is true. Returns false if it does not become true within this time. */
export async function becomes(isTrue: () => boolean, patienceMs: number): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (!isTrue()) {
    if (performance.now() > deadline) return false;
    await pause(POLL_MS);
  }
  return true;
}
