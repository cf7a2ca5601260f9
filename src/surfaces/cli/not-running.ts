import { statSync } from "node:fs";
import { printable } from "../../core/text.ts";
import { SECOND_MS } from "../../core/time.ts";
import { withoutGuard } from "../../guard/explain/health.ts";
import { IS_IMAGE } from "../../host/running/checkout.ts";
import { lockHolder } from "../../host/running/data-directory.ts";
import { startCommand } from "../../host/running/server-commands.ts";
import { lastLogLine, supervised } from "../../host/running/supervised.ts";
import { createKeeperClient } from "../../host/sockets/keeper-client.ts";
import { type Layout, serviceLog } from "../../settings/layout.ts";
import { type Failure, noServerIn } from "./call.ts";
import { joined } from "./print/text.ts";

/** The failure of commands that need a running server. Names a data directory without a server, where a start would create a new one. */
export function notRunning(layout: Layout): Failure {
  const none = noServerIn(layout);
  const message = joined(" ", ["GhostInbox is not running.", none?.message]);
  const start = startCommand(layout);
  const next = joined(" ", [`Start it with ${IS_IMAGE ? start : `\`${start}\``}.`, none?.next]);
  return failure(message, next);
}

function failure(message: string, next: string): Failure {
  return { ok: false, exit: "not_running", message, next };
}

const LINE_CHARACTERS = 1_000;
/** A guard that has not listened within this time after its start has failed. */
const STARTS_WITHIN_MS = 15 * SECOND_MS;

/** Whether a guard that does not listen yet may do so soon, because it or the server was just started. */
export function isStarting({ startPid, services }: Layout): boolean {
  if (lockHolder(startPid) === null) return false;
  const guard = supervised(services, "guard");
  if (guard?.isStopped === true) return false;
  return isYoung(startPid) || (guard !== null && isYoung(`${services}/guard/supervise/status`));
}

function isYoung(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && Math.abs(Date.now() - stat.mtimeMs) < STARTS_WITHIN_MS;
}

/** Why no guard listens, and what else fails according to the keeper. Suggests a start only if none runs, which would be refused. */
export async function whyDown(layout: Layout): Promise<Failure> {
  const guard = supervised(layout.services, "guard");
  if (guard === null || lockHolder(layout.startPid) === null) return notRunning(layout);
  const service = `${layout.services}/guard`;
  const { mailFlows, failing } = withoutGuard(await createKeeperClient(layout.keeperSocket).ask({ verb: "status" }));
  const state = joined(" ", [
    mailFlows
      ? "mail is accepted, but nothing is counted or banned."
      : "nothing is counted or banned, and mail may not flow.",
    failing.length > 0 && `What else fails: ${failing.join("; ").replace(/\.$/, "")}.`,
  ]);
  if (guard.isStopped) return failure(`The guard was stopped: ${state}`, `Start it with \`sv up ${service}\`.`);
  const line = lastLogLine(layout, "guard");
  const last = line !== null && `The guard's last log line: ${printable(line, LINE_CHARACTERS)}`;
  const next = `It starts automatically once the cause is gone. Its log: ${serviceLog(layout, "guard")}`;
  return failure(joined(" ", [`The guard is not running: ${state}`, last]), next);
}
