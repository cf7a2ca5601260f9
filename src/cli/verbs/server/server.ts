import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Layout } from "../../../settings/layout.ts";
import { type CommandCall, type CommandFailure, type CommandOutcome, done, failed, PROGRAM } from "../../call.ts";
import { notRunning } from "../../no-server.ts";
import { configCheck } from "../settings/config.ts";
import { settingsOf } from "../settings/server-settings.ts";

/** `stop`: waits until nothing of the server runs. A stopped part counts as success. */
export async function stop(call: CommandCall): Promise<CommandOutcome> {
  const refused = rootOnly("stop");
  if (refused !== null) return refused;
  // Loaded here, as below: no other command needs this much of set-up.
  const { stopServer } = await import("../../../daemon/set-up/running/stop.ts");
  call.terminal.progress("Stopping ...");
  const stopped = await stopServer(call.layout);
  if (!stopped.ok)
    return failed(
      `GhostInbox has not stopped: ${stopped.reason}`,
      "`ps` shows what is left, and `--data` names another data directory; try again.",
    );
  const { wasRunning } = stopped;
  return done({ stopped: true, wasRunning }, wasRunning ? "GhostInbox has stopped." : "GhostInbox is not running.");
}

/**
 * `restart`: the running start stops everything and starts again in its own process, with its environment. Everything that
 * could keep it from starting is checked while it still runs.
 */
export async function restart(call: CommandCall): Promise<CommandOutcome> {
  const refused = rootOnly("restart");
  if (refused !== null) return refused;
  const { lockHolder } = await import("../../../daemon/set-up/running/lock.ts");
  if (lockHolder(call.layout.startPid) === null) return notRunning(call.layout);
  // The variables given here do not reach the start that runs.
  const own = { ...call, env: {} };
  const settings = settingsOf(own);
  if (!settings.ok) return settings;
  const checked = await configCheck(own);
  if (!checked.ok) return checked;
  const obstacle = await obstacleInData(call.layout);
  if (obstacle !== null) return failed(`Nothing was restarted: ${obstacle}`, "The server still runs.");
  const [{ CHECKOUT, IS_PACKAGED }, { portsOf }, { restartServer }] = await Promise.all([
    import("../../../daemon/set-up/checkout.ts"),
    import("../../../daemon/set-up/running/ports.ts"),
    import("../../../daemon/set-up/running/stop.ts"),
  ]);
  if (!IS_PACKAGED && !(await setUp(CHECKOUT)))
    return failed("Nothing was restarted: missing packages could not be installed.", "`npm run setup` shows why.");
  call.terminal.err("Restarting ...");
  const restarted = await restartServer(call.layout, portsOf(settings.settings));
  if (restarted.ok) return done({ restarted: true }, "GhostInbox was restarted.", `${PROGRAM} status`);
  const next = restarted.isRunning ? `\`${PROGRAM} status\` shows more.` : "Start it with `npm start`.";
  return failed(`GhostInbox was not restarted: ${restarted.reason}`, next);
}

/** Why a start would refuse the databases. */
async function obstacleInData(layout: Layout): Promise<string | null> {
  const [{ schemasOf, unusableSchema }, { whyNotAgain }, { lackOfSpace }] = await Promise.all([
    import("../../../adapters/sqlite/schemas.ts"),
    import("../../../daemon/set-up/upgrade/taken-back.ts"),
    import("../../../daemon/set-up/upgrade/upgrade-snapshot.ts"),
  ]);
  const schemas = schemasOf(layout);
  return unusableSchema(schemas) ?? whyNotAgain(layout, schemas) ?? lackOfSpace(layout, schemas);
}

/** Installs what a new version needs, as `npm start` does; says nothing if nothing is missing. */
async function setUp(checkout: string): Promise<boolean> {
  const child = spawn("bash", [join(checkout, "scripts", "setup")], { stdio: ["inherit", 2, 2] });
  await once(child, "close");
  return child.exitCode === 0;
}

function rootOnly(command: string): CommandFailure | null {
  if (process.getuid?.() === 0) return null;
  return failed(`Only root can ${command} GhostInbox.`, `Try: sudo ${PROGRAM} ${command}`);
}
