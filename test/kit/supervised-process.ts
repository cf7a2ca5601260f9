import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { ServiceName } from "../../src/host/running/runit.ts";
import { pidFile } from "../../src/host/running/supervise.ts";

/** Notes the process of a service, as runsv(8) does. `startedAt`: in seconds, if not now. */
export function noteProcess(services: string, service: ServiceName, pid: number | undefined, startedAt?: number): void {
  const file = pidFile(services, service);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${pid}\n`);
  if (startedAt !== undefined) utimesSync(file, startedAt, startedAt);
}
