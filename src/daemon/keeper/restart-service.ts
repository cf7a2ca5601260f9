import { join } from "node:path";
import { type Finished, lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import type { ServiceName } from "../../render/runit.ts";
import type { Layout } from "../../settings/layout.ts";

/** Until a service must have ended. */
const PATIENCE_SECONDS = 10;

/** sv(8): ends a service, waits, and looks whether it runs again. Null when it does, else why not. */
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
 * Fail2ban 1.0.2 may hang for ever when it is told to end while it starts; it loses nothing when it is killed then. And
 * `sv restart` takes what was started a moment ago, and has not ended yet, for what is to come.
 */
async function restartFail2ban(sv: (command: string) => Promise<Finished>): Promise<Finished> {
  if ((await sv("down")).code !== 0) await sv("kill");
  return sv("start");
}
