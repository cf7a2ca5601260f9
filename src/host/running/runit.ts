import { type Layout, USERS } from "../../settings/layout.ts";

export const SERVICES = [
  "unbound",
  "guard",
  "web",
  "keeper",
  "postfix",
  "dovecot",
  "spamd",
  "spam-head",
  "spamass-milter",
  "rspamd",
  "postgrey",
  "fail2ban",
  "export",
] as const;
export type ServiceName = (typeof SERVICES)[number];
type OwnService = "guard" | "web" | "keeper" | "export";

/**
 * Services that are killed to stop them: libmilter checks only every 5 s whether it must end, rspamd waits up to 30 s for its
 * clients, and a socket outlives its milter in any case. Mail in between is treated as for any missing milter.
 */
export const MILTERS: readonly ServiceName[] = ["spamass-milter", "rspamd"];
const KILL = ['exec kill -9 "$(cat supervise/pid)"'];

/**
 * Services that hold most of the memory. If it runs out, the kernel ends one of these before the guard, without which mail would pass
 * unchecked until it is back. Including Dovecot means that the IMAP sessions of a user end if they take more than a filter.
 */
const KILLED_FIRST: readonly ServiceName[] = ["spamd", "rspamd", "fail2ban", "dovecot"];
/** oom_score_adj: thousandths of all memory, added to the process's own. The kernel refuses it if the container has set a higher value. */
const COUNTS_MORE = "choom -n 300 -p $$ >/dev/null 2>&1 || :";

/**
 * Nice value and CPUWeight (systemd.resource-control(5)): the guard comes first, programs that read whole mails or logs come last. The
 * kernel may also group processes by session (sched(7), autogroup). Most containers do not allow negative values.
 */
export const WEIGHTS: Partial<Readonly<Record<ServiceName, Readonly<{ nice: number; cpu: number }>>>> = {
  guard: { nice: -10, cpu: 1_000 },
  spamd: { nice: 3, cpu: 50 },
  "spam-head": { nice: 3, cpu: 50 },
  "spamass-milter": { nice: 3, cpu: 50 },
  rspamd: { nice: 3, cpu: 50 },
  fail2ban: { nice: 5, cpu: 30 },
  export: { nice: 5, cpu: 30 },
};

function weighing(service: ServiceName): readonly string[] {
  const weight = WEIGHTS[service]?.nice;
  return weight === undefined
    ? []
    : [`{ renice -n ${weight} -p $$; echo ${weight} >/proc/self/autogroup; } >/dev/null 2>&1 || :`];
}

/** Exists in Postfix's service directory until its first run, because the start has just run the check, which takes fifty programs. */
export const CHECKED = "checked-by-the-start";

/**
 * Exists in the guard's service directory, except while the keeper ends a hanging guard: no stand-in may answer then, because an
 * attacker who makes the guard hang would open the server. The keeper removes the file, which works even on a full disk.
 */
export const MAY_STAND_IN = "may-stand-in";

/** A file in a service's directory: the last hundred minutes (since 1970) in which the service exited without an order. */
export const EXITS = "exits";

/** For `finish`, which gets the exit code and the signal from runsv(8). An ordered end has code 0 or TERM, or the service is unwanted. */
const NOTES_EXIT = [
  'case "$1 $2" in "0 "* | *" 15") ;; *)',
  "minute=$(($(date +%s) / 60))",
  `grep -q want supervise/stat || test "$(tail -n 1 ${EXITS} 2>/dev/null)" = $minute ||`,
  `(umask 077; { tail -n 99 ${EXITS} 2>/dev/null; echo $minute; } >${EXITS}.new && mv ${EXITS}.new ${EXITS})`,
  ";; esac",
].join("\n");

export type RunitInput = Readonly<{
  layout: Layout;
  /** Whether this process may pass CAP_NET_ADMIN on to the guard. */
  netAdmin: boolean;
  /** Whether events are sent to another machine. */
  export: boolean;
  /** How the other services run (`mailServices`). Missing ones do not run. */
  mail: MailServices;
}>;

export type MailServices = Readonly<Partial<Record<Exclude<ServiceName, OwnService>, ServiceCommands>>>;

/** `run`: lines of sh(1), the last of which becomes the program. `finish`: lines that run after its end. */
export type ServiceCommands = Readonly<{ run: readonly string[]; finish?: readonly string[] }>;

export type Script = Readonly<{
  service: ServiceName;
  run: string;
  logRun: string;
  /** A script that runsv(8) runs instead of sending TERM. */
  control?: string;
  /** A script that runsv(8) runs after the end. */
  finish: string;
}>;

/**
 * V8 flags needed from the start. Heaps are small, because the programs hold little data, and the limit enforces that. Other flags
 * are set later, which makes the start cheaper (`host/machine/late-flags.ts`).
 */
export const NODE_FLAGS = "--max-semi-space-size=1 --v8-pool-size=1 --disable-warning=ExperimentalWarning";

/** Code compiled at the start stays in memory. Without V8's Maglev compiler a program holds 5 to 10 MB less after a load. */
const WITHOUT_MAGLEV = "--no-maglev";
const FLAGS_OF: Readonly<Record<string, readonly string[]>> = {
  guard: [WITHOUT_MAGLEV],
  /**
   * An answer of 500 events is a quarter of a megabyte, and several times that while it is built. With less room V8 would promote it as
   * long-lived, and only full collections would free it. With twice as much room, large answers take a quarter less time, but 10 MB
   * more stay in use.
   */
  web: [WITHOUT_MAGLEV, "--max-semi-space-size=2"],
};

/**
 * Makes glibc return freed blocks of 32 KB or more at once, such as the 19 MB of a password check, and the segments in which V8's
 * compilers work. By default it keeps them after the first large one (mallopt(3), M_MMAP_THRESHOLD): 5 to 8 MB under load.
 */
const FREES_AT_ONCE = "MALLOC_MMAP_THRESHOLD_=32768";

/**
 * Ends a process left by a killed runsv(8), which would keep its ports. Identifies it by process id and start time (field 22 of
 * proc_pid_stat(5)), which stay the same when the script becomes its program. On a full disk the mark may be lost. Exported for its
 * test.
 */
export const ENDS_LEFTOVER = [
  "begin() { set -- $(sed 's/.*) //' /proc/$1/stat 2>/dev/null); echo \"${20-}\"; }",
  'is_left() { [ -n "$was" ] && [ "$(begin "$pid")" = "$was" ]; }',
  "read -r pid was 2>/dev/null <started || was=",
  'if is_left; then kill "$pid"; for _ in $(seq 50); do is_left || break; sleep 0.1; done; if is_left; then kill -9 "$pid"; fi; fi',
  'echo "$$ $(begin $$)" 2>/dev/null >started || :',
].join("\n");

/** The scripts of one directory per service for runsvdir(8). Set-up ensures that no path contains spaces or quotes. */
export function renderRunit(input: RunitInput): readonly Script[] {
  const all: Readonly<Partial<Record<ServiceName, ServiceCommands>>> = { ...input.mail, ...ownServices(input) };
  return SERVICES.flatMap((service) => {
    const commands = all[service];
    if (commands === undefined) return [];
    const run = script([
      ENDS_LEFTOVER,
      ...(KILLED_FIRST.includes(service) ? [COUNTS_MORE] : []),
      ...weighing(service),
      ...commands.run,
    ]);
    const logRun = script([`exec svlogd -tt ${input.layout.log}/${service}`]);
    const control = MILTERS.includes(service) ? { control: script(KILL) } : {};
    const own = commands.finish ?? [];
    // The guard's stand-in starts before the note. Other scripts end by becoming a program.
    const finish = script(service === "guard" ? [...own, NOTES_EXIT] : [NOTES_EXIT, ...own]);
    return [{ service, run, logRun, ...control, finish }];
  });
}

function ownServices(input: RunitInput): Readonly<Partial<Record<OwnService, ServiceCommands>>> {
  const guard = [
    // Keeps clients from being refused because the guard is not ready while the server starts.
    `if test -e ${MAY_STAND_IN}; then test -S ${input.layout.standIn} || ${standIn(input)} fi`,
    // In a subshell, because a failed `:` would end this shell, and umask(1) would change it.
    `(umask 077; true 2>/dev/null >${MAY_STAND_IN}) || :`,
    ours("guard", `env ${FREES_AT_ONCE} ` + asUser(USERS.guard, input.netAdmin ? "net_admin" : null), input),
  ];
  const guardEnded = [...weighing("guard"), IS_STOPPED, `if test -e ${MAY_STAND_IN}; then ${standIn(input)} fi`];
  return {
    guard: { run: guard, finish: guardEnded },
    web: {
      run: [`if ${hasLowPort(input)}; then ${asReader("web", input, "net_bind_service")}; fi`, asReader("web", input)],
    },
    keeper: { run: [ours("keeper", "", input)] },
    ...(input.export ? { export: { run: [asReader("export", input)] } } : {}),
  };
}

/** Settings from the environment, some of them secret, are passed in files (chpst(8)). */
function ours(program: string, privileges: string, { layout }: RunitInput): string {
  return `exec chpst -o 65536 -e ${layout.environment} ${privileges}${nodeCommand(program, layout)}`;
}

/** Exits if the whole service is ending, as runsv(8) writes. */
const IS_STOPPED = "grep -q 'want exit' supervise/stat && exit 0";

/** Starts the program that answers in place of a dead guard. It writes no log, because svlogd(8) would wait for its end. */
function standIn({ layout }: RunitInput): string {
  // The port at which Dovecot asks now, because the setting may have changed since the start.
  const port = `"$(sed -n 's|^auth_policy_server_url = http://127.0.0.1:\\([0-9]*\\)/$|\\1|p' ${layout.dovecotConf})"`;
  const program = `${layout.node} ${NODE_FLAGS} ${layout.program}/stand-in.js`;
  return `env -i ${asUser(USERS.guard, null)}${program} ${layout.data} ${port} $PPID >/dev/null 2>&1 </dev/null &`;
}

/** A test in sh(1): whether the web listens on a port below 1024, by the settings in force. */
function hasLowPort({ layout }: RunitInput): string {
  return `test "$(sed -n 's/^ports\\.http = //p' ${layout.webSettings})" -lt 1024`;
}

/** Settings from the environment reach such a program only through `settings/program-settings.ts`. */
function asReader(program: "web" | "export", { layout }: RunitInput, capability: string | null = null): string {
  const user = asUser(USERS[program], capability);
  const environment = `env -i PATH="$PATH" GHOSTINBOX_DATA=${layout.data} MALLOC_ARENA_MAX=2 ${FREES_AT_ONCE}`;
  return `exec chpst -o 65536 ${environment} ${user}${nodeCommand(program, layout)}`;
}

function nodeCommand(program: string, layout: Layout): string {
  const more = FLAGS_OF[program] ?? [];
  return [layout.node, NODE_FLAGS, ...more, `${layout.program}/${program}.js`].join(" ");
}

export function asUser(user: string, capability: string | null): string {
  const set = capability === null ? "-all" : `-all,+${capability}`;
  return (
    `setpriv --reuid ${user} --regid ${user} --init-groups ` +
    `--inh-caps=${set} --ambient-caps=${set} --bounding-set=${set} --no-new-privs `
  );
}

/** With the user's own group only, so that the program may not use the sockets of Postfix or of other programs. */
export function asUserOnly(user: string): string {
  return asUser(user, null).replace("--init-groups", "--clear-groups");
}

function script(lines: readonly string[]): string {
  return ["#!/bin/sh", "exec 2>&1", ...lines, ""].join("\n");
}
