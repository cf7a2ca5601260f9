import { join } from "node:path";
import { type Finished, lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import type { ServiceName } from "../../render/runit.ts";
import type { Layout } from "../../settings/layout.ts";
import { processesOf, signal } from "../set-up/processes.ts";
import { listProcesses, type Process } from "../set-up/read-processes.ts";
import { pidOf } from "../set-up/supervise.ts";

/** How long a service may take to end. */
const PATIENCE_SECONDS = 10;

/** sv(8): ends a service, waits, and checks whether it runs again. Null if so, else why not. */
export async function restartService(
  service: ServiceName,
  { services }: Pick<Layout, "services">,
  patienceSeconds: number = PATIENCE_SECONDS,
): Promise<string | null> {
  const sv = (command: string) => runProgram("sv", ["-w", String(patienceSeconds), command, join(services, service)]);
  const restarted = service === "fail2ban" ? await restartFail2ban(sv) : await sv("restart");
  return restarted.code === 0 ? null : lastLines(restarted);
}

/**
 * Restarts a service of which a process hangs, so that its end cannot be waited for. What outlives the service would
 * keep its ports: it is killed before the new one starts. Null, or why it does not run again.
 */
export async function restartHanging(
  service: ServiceName,
  { services, data }: Pick<Layout, "services" | "data">,
  patienceSeconds: number = PATIENCE_SECONDS / 2,
): Promise<string | null> {
  const sv = (command: string) => runProgram("sv", ["-w", String(patienceSeconds), command, join(services, service)]);
  const family = familyOf(pidOf(services, service), data);
  // sv(8) also sends CONT, so that one that was stopped by a signal can end.
  if ((await sv("down")).code !== 0) await sv("kill");
  const left = new Set(listProcesses().map(nameOf));
  for (const one of family) if (left.has(nameOf(one))) signal(one.pid, "SIGKILL");
  const started = await sv("start");
  return started.code === 0 ? null : lastLines(started);
}

/** A process and all that it has started. */
function familyOf(pid: number | null, data: string): readonly Process[] {
  const children = Map.groupBy(processesOf(data), ({ parent }) => parent);
  const found = new Set(pid === null ? [] : (children.get(pid) ?? []));
  for (const one of found) for (const child of children.get(one.pid) ?? []) found.add(child);
  return [...found];
}

/** Another process may have been given the number meanwhile. */
function nameOf({ pid, exe, args }: Process): string {
  return [pid, exe, ...args].join(" ");
}

/**
 * Fail2ban 1.0.2 can hang forever if it must end while it starts; killing it then loses nothing. And `sv restart`
 * mistakes a process that has just started, and not ended yet, for the new one.
 */
async function restartFail2ban(sv: (command: string) => Promise<Finished>): Promise<Finished> {
  if ((await sv("down")).code !== 0) await sv("kill");
  return sv("start");
}
