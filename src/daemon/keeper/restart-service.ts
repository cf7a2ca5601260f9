import { join } from "node:path";
import { type Finished, lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import type { ServiceName } from "../../render/runit.ts";
import type { Layout } from "../../settings/layout.ts";

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
 * Fail2ban 1.0.2 can hang forever if it must end while it starts; killing it then loses nothing. And `sv restart`
 * mistakes a process that has just started, and not ended yet, for the new one.
 */
async function restartFail2ban(sv: (command: string) => Promise<Finished>): Promise<Finished> {
  if ((await sv("down")).code !== 0) await sv("kill");
  return sv("start");
}
