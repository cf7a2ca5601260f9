import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

/** One running process as /proc shows it (proc(5)). */
export type Process = Readonly<{ pid: number; args: readonly string[]; exe: string; cwd: string }>;

const SUPERVISORS = ["runsvdir", "runsv", "svlogd"];
const MAIL_PROGRAMS = [
  "/usr/lib/postfix/",
  "/usr/lib/dovecot/",
  "/usr/sbin/dovecot",
  "/usr/sbin/unbound",
  "/usr/bin/rspamd",
  "/usr/sbin/spamass-milter",
];
const PERL = "/usr/bin/perl";
/** What keeps a service's place where it is switched off (render/postgrey.ts). */
const PLACEHOLDER = "sleep infinity";
const PERL_PROGRAMS = /\b(?:spamd|postgrey)\b/;

/**
 * Whether this process belongs to the server of this data directory. A shell that merely stands in the directory
 * does not. Paths of a process in another mount namespace may begin with that of a chroot, hence the looking inside.
 */
export function belongsTo(data: string, { args, exe, cwd }: Process): boolean {
  const within = (path: string): boolean => `${path}/`.includes(`${data}/`);
  if (within(exe)) return true;
  if (args.join(" ") === PLACEHOLDER) return cwd.includes(`${data}/service/`);
  const points = within(cwd) || args.some(within);
  const ours =
    SUPERVISORS.includes(basename(exe)) ||
    MAIL_PROGRAMS.some((program) => exe.includes(program)) ||
    (exe.endsWith(PERL) && PERL_PROGRAMS.test(args.join(" ")));
  return points && ours;
}

export function isSupervisor({ exe }: Process): boolean {
  return basename(exe) === "runsv" || basename(exe) === "runsvdir";
}

/**
 * All processes of this data directory's server, this one excepted. A container whose data directory has the same name
 * is another server: its processes have a PID namespace of their own.
 */
export function processesOf(data: string): readonly Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => readProcess(Number(name)))
    .filter((found) => belongsTo(data, found));
}

/** Empty where it has ended meanwhile, or is a container's; a zombie has no exe and so never belongs to us. */
function readProcess(pid: number): readonly Process[] {
  try {
    if (readlinkSync(`/proc/${pid}/ns/pid`) !== readlinkSync("/proc/self/ns/pid")) return [];
    const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
    const exe = readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "");
    return [{ pid, args, exe, cwd: readlinkSync(`/proc/${pid}/cwd`) }];
  } catch {
    return [];
  }
}

/** Clock ticks since boot at which the process started: tells a reused pid apart. Null where none runs. */
export function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the name, may hold spaces and parentheses itself; field 22 is the time.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? null : (fields[18] ?? null);
  } catch {
    return null;
  }
}

export function signal(pid: number, name: "SIGTERM" | "SIGKILL" | "SIGHUP"): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended: what the signal was for.
  }
}
