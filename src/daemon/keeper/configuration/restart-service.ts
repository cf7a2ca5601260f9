import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Finished, lastLines, runProgram } from "../../../adapters/machine/run-program.ts";
import { removeFile, writeFile } from "../../../adapters/root-files/files.ts";
import { messageOf } from "../../../core/error.ts";
import { SERVICES, type ServiceName } from "../../../render/runit.ts";
import type { Layout } from "../../../settings/layout.ts";
import { processesOf, signal } from "../../set-up/running/processes.ts";
import { listProcesses, type Process } from "../../set-up/running/read-processes.ts";
import { pidOf, restartMark } from "../../set-up/running/supervise.ts";

/** How long a service may take to end. */
const PATIENCE_SECONDS = 10;

type Sv = (command: string) => Promise<Finished>;

/** sv(8): ends a service, waits, and checks whether it runs again. Null if it does, otherwise why not. */
export async function restartService(
  service: ServiceName,
  { services }: Pick<Layout, "services">,
  patienceSeconds: number = PATIENCE_SECONDS,
): Promise<string | null> {
  const sv = svOf(services, service, patienceSeconds);
  // Fail2ban 1.0.2 can hang forever if it must end while it starts; killing it then loses nothing. And `sv restart`
  // mistakes a process that has just started, and not ended yet, for the new one.
  const restarted = service === "fail2ban" ? await downAndUp(restartMark(services, service), sv) : await sv("restart");
  return restarted.code === 0 ? null : lastLines(restarted);
}

/**
 * Restarts a service whose process hangs, so that its end cannot be waited for. Processes that outlive the service would
 * keep its ports: they are killed before the new one starts. Null, or why it does not run again.
 */
export async function restartHanging(
  service: ServiceName,
  { services, data }: Pick<Layout, "services" | "data">,
  patienceSeconds: number = PATIENCE_SECONDS / 2,
): Promise<string | null> {
  // Reads their names now: once one has ended, its number may be reused.
  const family = familyOf(pidOf(services, service), data).map((one) => ({ pid: one.pid, name: nameOf(one) }));
  const started = await downAndUp(restartMark(services, service), svOf(services, service, patienceSeconds), () => {
    const left = new Set(listProcesses().map(nameOf));
    for (const { pid, name } of family) if (left.has(name)) signal(pid, "SIGKILL");
  });
  return started.code === 0 ? null : lastLines(started);
}

/** Starts a service that an earlier keeper stopped for a restart, and did not start again because it was killed. */
export async function finishRestarts(
  { services }: Pick<Layout, "services">,
  patienceSeconds: number = PATIENCE_SECONDS / 2,
): Promise<readonly ServiceName[]> {
  const begun = SERVICES.filter((service) => existsSync(restartMark(services, service)));
  for (const service of begun) {
    await svOf(services, service, patienceSeconds)("start");
    unlessDiskRefuses(() => removeFile(restartMark(services, service)));
  }
  return begun;
}

function svOf(services: string, service: ServiceName, patienceSeconds: number): Sv {
  return (command) => runProgram("sv", ["-w", String(patienceSeconds), command, join(services, service)]);
}

/** A keeper that is killed between the two leaves the mark: runsv(8) starts nothing that it was ordered to keep down. */
async function downAndUp(mark: string, sv: Sv, between: () => void = () => undefined): Promise<Finished> {
  unlessDiskRefuses(() => writeFile(mark, "", { mode: 0o644 }));
  // sv(8) also sends CONT, so that a process that a signal has stopped can end.
  if ((await sv("down")).code !== 0) await sv("kill");
  between();
  const started = await sv("start");
  unlessDiskRefuses(() => removeFile(mark));
  return started;
}

/** The mark is a precaution: a full or read-only disk must not prevent the restart of a hanging part, or the keeper's start. */
function unlessDiskRefuses(change: () => void): void {
  try {
    change();
  } catch (error) {
    console.error(`keeper: the note of a restart was not changed: ${messageOf(error)}`);
  }
}

/** A process and all its descendants. */
function familyOf(pid: number | null, data: string): readonly Process[] {
  const children = Map.groupBy(processesOf(data), ({ parent }) => parent);
  const found = new Set(pid === null ? [] : (children.get(pid) ?? []));
  for (const one of found) for (const child of children.get(one.pid) ?? []) found.add(child);
  return [...found];
}

/** The number may belong to a new process. */
function nameOf({ pid, exe, args }: Process): string {
  return [pid, exe, ...args].join(" ");
}
