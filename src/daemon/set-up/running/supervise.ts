import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runProgram } from "../../../adapters/machine/run-program.ts";
import { removeFile, setModified, writeFile } from "../../../adapters/root-files/files.ts";
import { makeDirectory } from "../../../adapters/root-files/trees.ts";
import { removeTree } from "../../../adapters/root-files/walk.ts";
import { SECOND_MS } from "../../../core/time.ts";
import { CHECKED, MAY_STAND_IN, type RunitInput, renderRunit, type ServiceName } from "../../../render/runit.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { Environment } from "../../../settings/load.ts";
import { endBy, endOrphans } from "./orphans.ts";
import { runsForAnother, signal } from "./processes.ts";

const STOP_MS = 15_000;
const NOT_FOR_PROGRAMS = ["GHOSTINBOX_ALLOW_REMOVE"];

/** The environment of our programs: the settings given there, and never the administrator's password. */
export function programEnvironment(layout: Layout, env: Environment): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith("GHOSTINBOX_") && !NOT_FOR_PROGRAMS.includes(name) && value !== undefined) found[name] = value;
  }
  // One arena each instead of eight per core: glibc then returns memory that it would keep (mallopt(3)).
  return { ...found, GHOSTINBOX_DATA: layout.data, MALLOC_ARENA_MAX: "2" };
}

/** One file for each variable, as chpst(8) -e reads them: a NUL stands for a line break. */
export function writeEnvironment(directory: string, env: Readonly<Record<string, string>>): void {
  removeTree(directory);
  makeDirectory(directory, 0o700);
  for (const [name, value] of Object.entries(env))
    writeFile(join(directory, name), value.replaceAll("\n", "\0"), { mode: 0o600, flush: false });
}

/** The caller has checked the configuration. */
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
    if (finish !== undefined) writeScript(join(directory, "finish"), finish);
    // A service that was stopped by hand returns with the next start.
    removeFile(join(services, service, "down"));
    removeFile(restartMark(services, service));
  }
  for (const mark of [join("postfix", CHECKED), join("guard", MAY_STAND_IN)])
    writeFile(join(services, mark), "", { mode: 0o644, flush: false });
}

function writeScript(file: string, text: string): void {
  makeDirectory(dirname(file), 0o755);
  writeFile(file, text, { mode: 0o755, flush: false });
}

/**
 * runsvdir(8) in its own session: Ctrl-C reaches only the start, which then stops things in order. It would wait a second
 * if the directory had been changed within this one.
 */
export function startSupervisor(services: string): ChildProcess {
  setModified(services, new Date(Date.now() - 2 * SECOND_MS));
  return spawn("runsvdir", ["-P", services], {
    detached: true,
    stdio: "ignore",
    cwd: services,
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8" },
  });
}

/**
 * HUP makes runsvdir end every service. If runsvdir has died (null), each runsv gets the signal directly, because none would
 * end otherwise. Anything left after 15 s is killed. Bans leave the kernel with the server.
 */
export async function stopEverything(layout: Layout, supervisor: number | null): Promise<void> {
  if (supervisor === null) {
    await endOrphans(layout.data, STOP_MS);
  } else {
    signal(supervisor, "SIGHUP");
    await endBy(layout.data, STOP_MS);
  }
  await removeFirewallTable(layout.data);
}

/** Returns true if there was a server, and it did not belong to a different data directory. */
export async function removeFirewallTable(data: string): Promise<boolean> {
  if (runsForAnother(data)) return false;
  return (await runProgram("nft", ["delete", "table", "inet", "ghostinbox"], { timeoutMs: 5_000 })).code === 0;
}

/** The pid under which runsv(8) runs a service now; null while it is down. */
export function pidOf(services: string, service: ServiceName): number | null {
  const file = pidFile(services, service);
  const text = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  return /^\d+$/.test(text) ? Number(text) : null;
}

/** Exists while the keeper has stopped a service that it is about to start again. */
export function restartMark(services: string, service: ServiceName): string {
  return join(services, service, "restarting");
}

/** Written by runsv(8) whenever it starts the service or sees it end. */
export function pidFile(services: string, service: ServiceName): string {
  return join(services, service, "supervise", "pid");
}
