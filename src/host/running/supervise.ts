import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { failureOf } from "../../core/error.ts";
import { HOUR_MS, SECOND_MS } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Environment } from "../../settings/load.ts";
import { textOrNothing } from "../machine/read-text.ts";
import { cleanEnvironment, type Finished, lastLines, runProgram } from "../machine/run-program.ts";
import { moveFile, removeFile, setModified, writeFile } from "../root-files/files.ts";
import { makeDirectory } from "../root-files/trees.ts";
import { removeTree } from "../root-files/walk.ts";
import { endBy, endOrphans, processesOf, signal } from "./processes.ts";
import { startTimeOf, withDescendants } from "./read-processes.ts";
import {
  CHECKED,
  EXITS,
  MAY_STAND_IN,
  MILTERS,
  type RunitInput,
  renderRunit,
  SERVICES,
  type ServiceName,
} from "./runit.ts";
import { startUnits, stopUnits } from "./units.ts";

const STOP_MS = 15_000;
const NOT_FOR_PROGRAMS = ["GHOSTINBOX_ALLOW_REMOVE"];

/** The environment of our programs: the settings in `env`, but never the administrator's password. */
export function programEnvironment(layout: Layout, env: Environment): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith("GHOSTINBOX_") && !NOT_FOR_PROGRAMS.includes(name) && value !== undefined) found[name] = value;
  }
  // One arena per program instead of eight per core, so that glibc returns memory that it would otherwise keep (mallopt(3)).
  return { ...found, GHOSTINBOX_DATA: layout.data, MALLOC_ARENA_MAX: "2" };
}

/**
 * Writes one file per variable, as chpst(8) -e reads them: a NUL stands for a line break. After a power failure either all or none are
 * there. If only some were missing, a variable from the first start would override the settings file.
 */
export function writeEnvironment(directory: string, env: Readonly<Record<string, string>>): void {
  const [fresh, old] = [`${directory}.new`, `${directory}.old`];
  for (const left of [fresh, old]) removeTree(left);
  makeDirectory(fresh, 0o700);
  for (const [name, value] of Object.entries(env))
    writeFile(join(fresh, name), value.replaceAll("\n", "\0"), { mode: 0o600 });
  if (existsSync(directory)) moveFile(directory, old);
  moveFile(fresh, directory);
  removeTree(old);
}

/** Restores the previous variables after a power failure between the two renames above. */
export function finishEnvironment(directory: string): void {
  if (!existsSync(directory) && existsSync(`${directory}.old`)) moveFile(`${directory}.old`, directory);
}

/** Writes the scripts of all services. The caller has checked the configuration. */
export function writeServices(input: RunitInput): void {
  const { services } = input.layout;
  const scripts = renderRunit(input);
  for (const name of readdirSync(services))
    if (!scripts.some(({ service }) => service === name)) removeTree(join(services, name));
  for (const { service, run, logRun, control, finish } of scripts) {
    const directory = join(services, service);
    writeScript(join(directory, "run"), run);
    writeScript(join(directory, "log", "run"), logRun);
    if (control !== undefined) writeScript(join(directory, "control", "t"), control);
    writeScript(join(directory, "finish"), finish);
    removeFile(join(directory, EXITS));
    // A service that was stopped manually returns with the next start.
    removeFile(join(services, service, "down"));
    removeFile(restartMark(services, service));
    removeFile(unreadMark(services, service));
  }
  for (const mark of [join("postfix", CHECKED), join("guard", MAY_STAND_IN)])
    writeFile(join(services, mark), "", { mode: 0o600, flush: false });
}

function writeScript(file: string, text: string): void {
  makeDirectory(dirname(file), 0o755);
  writeFile(file, text, { mode: 0o755, flush: false });
}

/** The pid under which runsv(8) runs a service now; null while it is down. */
export function pidOf(services: string, service: ServiceName): number | null {
  const file = pidFile(services, service);
  const text = textOrNothing(file).trim();
  const finishes = textOrNothing(join(dirname(file), "stat")).startsWith("finish");
  return /^\d+$/.test(text) && !finishes ? Number(text) : null;
}

/** Exists while the keeper has stopped a service that it is about to start again. */
export function restartMark(services: string, service: ServiceName): string {
  return join(services, service, "restarting");
}

/** Exists while a service may not have read its files in force, because it was not reloaded. */
export function unreadMark(services: string, service: ServiceName): string {
  return join(services, service, "unread");
}

/** Written by runsv(8) whenever it starts the service or sees it end. */
export function pidFile(services: string, service: ServiceName): string {
  return join(services, service, "supervise", "pid");
}

type Supervisor = Readonly<{
  /** Resolves if the supervisor ends without a signal from us. */
  died: Promise<"died">;
  /** Ends the services, and waits until none of their processes runs. */
  stop: () => Promise<void>;
}>;

/** Runs runsvdir(8) as a child in its own session, so that Ctrl-C reaches only the start, which then stops everything in order. */
export function runsvdir({ data, services }: Layout): Supervisor {
  // runsvdir would wait a second if the directory had changed within the current one.
  setModified(services, new Date(Date.now() - 2 * SECOND_MS));
  const how = { detached: true, stdio: "ignore", cwd: services, env: cleanEnvironment() } as const;
  const child = spawn("runsvdir", ["-P", services], how);
  let running = child.pid ?? null;
  const noteDeath = (): "died" => {
    running = null;
    return "died";
  };
  const died = once(child, "exit").then(noteDeath, noteDeath);
  const stop = async (): Promise<void> => {
    // HUP makes runsvdir end every service. If runsvdir has died, each runsv gets a signal instead.
    if (running === null) await endOrphans(data, STOP_MS);
    else {
      signal(running, "SIGHUP");
      await endBy(data, STOP_MS);
    }
  };
  return { died, stop };
}

/** Runs the services under systemd, with a unit for each. If systemd ends, so does the machine. */
export async function systemd(layout: Layout): Promise<Supervisor> {
  await startUnits(layout);
  // Keeps this process alive, which a signal handler does not.
  const waiting = setInterval(() => undefined, HOUR_MS);
  const stop = async (): Promise<void> => {
    clearInterval(waiting);
    await stopUnits();
    await endOrphans(layout.data);
  };
  return { died: new Promise(() => undefined), stop };
}

/** How long a service may take to end. */
const PATIENCE_SECONDS = 10;

type RunSv = (command: string) => Promise<Finished>;

/** Restarts a service with sv(8), and checks that it runs again. Returns null, or why it does not. */
export async function restartService(
  service: ServiceName,
  { services }: Pick<Layout, "services">,
  patienceSeconds: number = PATIENCE_SECONDS,
): Promise<string | null> {
  const sv = svOf(services, service, patienceSeconds);
  // Fail2ban 1.0.2 can hang forever if it must end while it starts; killing it then loses nothing. Also, `sv restart` mistakes a
  // process that has just started, and has not ended yet, for the new one. A milter is killed, which must not count as an exit.
  const restarted =
    service === "fail2ban" || MILTERS.includes(service)
      ? await downAndUp(restartMark(services, service), sv)
      : await sv("restart");
  return restarted.code === 0 ? null : lastLines(restarted);
}

/**
 * Restarts a service whose process hangs, without waiting for its end. Kills processes that outlive the service before the new one
 * starts, because they would keep its ports. Returns null, or why the service does not run again.
 */
export async function restartHanging(
  service: ServiceName,
  { services, data }: Pick<Layout, "services" | "data">,
  patienceSeconds: number = PATIENCE_SECONDS / 2,
): Promise<string | null> {
  // Noted with start times, because the id of an ended process may be reused.
  const main = pidOf(services, service);
  const family = withDescendants(processesOf(data), ({ parent }) => parent === main).map(({ pid }) => ({
    pid,
    since: startTimeOf(pid),
  }));
  const started = await downAndUp(restartMark(services, service), svOf(services, service, patienceSeconds), () => {
    for (const { pid, since } of family) if (since !== null && startTimeOf(pid) === since) signal(pid, "SIGKILL");
  });
  return started.code === 0 ? null : lastLines(started);
}

/** Starts services that an earlier keeper stopped for a restart, but was killed before it started them. Returns those that run again. */
export async function finishRestarts(
  { services }: Pick<Layout, "services">,
  patienceSeconds: number = PATIENCE_SECONDS / 2,
): Promise<readonly ServiceName[]> {
  const started: ServiceName[] = [];
  for (const service of SERVICES.filter((one) => existsSync(restartMark(services, one)))) {
    // The next keeper tries again.
    if ((await svOf(services, service, patienceSeconds)("start")).code !== 0) continue;
    unlessDiskRefuses(() => removeFile(restartMark(services, service)));
    started.push(service);
  }
  return started;
}

function svOf(services: string, service: ServiceName, patienceSeconds: number): RunSv {
  return (command) => runProgram("sv", ["-w", String(patienceSeconds), command, join(services, service)]);
}

/** A keeper that is killed in between leaves the mark, because runsv(8) starts nothing that it was ordered to keep down. */
async function downAndUp(mark: string, sv: RunSv, between: () => void = () => undefined): Promise<Finished> {
  unlessDiskRefuses(() => writeFile(mark, "", { mode: 0o644 }));
  // sv(8) also sends CONT, so that a process stopped by a signal can end.
  if ((await sv("down")).code !== 0) await sv("kill");
  between();
  const started = await sv("start");
  unlessDiskRefuses(() => removeFile(mark));
  return started;
}

/** Changes a mark, which is only a precaution: a full or read-only disk must not prevent a restart, or the keeper's start. */
function unlessDiskRefuses(change: () => void): void {
  const why = failureOf(change);
  if (why !== null) console.error(`keeper: could not record a restart: ${why}`);
}
