import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { asSentence, fitted } from "../../../../core/text.ts";
import { CHECKOUT, IS_IMAGE, IS_PACKAGED } from "../../../../host/running/checkout.ts";
import { isForeign, lockHolder } from "../../../../host/running/data-directory.ts";
import { SetUpFailure } from "../../../../host/running/failure.ts";
import { portsOf } from "../../../../host/running/ports.ts";
import { startCommand, stopCommand } from "../../../../host/running/server-commands.ts";
import { restartServer, stopServer } from "../../../../host/running/stop.ts";
import { installUnits, renewUnits, SYSTEMD_RUNS, uninstallUnits } from "../../../../host/running/units.ts";
import { keptBuild } from "../../../../jobs/build/kept-build.ts";
import { startAfresh } from "../../../../jobs/build/run-kept.ts";
import { readSettings } from "../../../../jobs/settings-file/settings-file.ts";
import { planUninstall, uninstall as undoSetUp } from "../../../../jobs/uninstall/uninstall.ts";
import { obstaclesInData } from "../../../../jobs/upgrade/upgrade-snapshot.ts";
import type { Layout } from "../../../../settings/layout.ts";
import { schemasOf } from "../../../../store/schemas.ts";
import { type Answer, type Call, done, type Failure, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { notRunning } from "../../not-running.ts";
import { settingsInFile } from "../../server-settings.ts";
import { configCheck, failureIfEmptied } from "../settings/config.ts";

/** `stop`: waits until nothing of the server runs. Parts that are already stopped are no failure. */
export async function stop(call: Call): Promise<Answer> {
  if (IS_IMAGE)
    call.terminal.err(`Docker may start this container again. ${stopCommand(call.layout)} keeps it stopped.`);
  call.terminal.progress("Stopping ...");
  const stopped = await stopServer(call.layout);
  if (!stopped.ok)
    return failed(
      `GhostInbox has not stopped completely: ${stopped.reason}`,
      "`ps` shows what is left, and `--data` names another data directory; try again.",
    );
  const { wasRunning } = stopped;
  const text = wasRunning ? "GhostInbox has stopped." : notRunning(call.layout).message;
  return done({ stopped: true, wasRunning }, text);
}

/**
 * `restart`: the `start` program stops everything and starts again in its own process, with its own environment. First checks
 * everything that could keep the server from starting, while it still runs.
 */
export async function restart(call: Call): Promise<Answer> {
  if (lockHolder(call.layout.startPid) === null) return notRunning(call.layout);
  // The variables given here do not reach the running `start`.
  const own = { ...call, env: {} };
  const settings = settingsInFile(own);
  if (!settings.ok) return settings;
  const checked = await configCheck(own);
  if (!checked.ok) return checked;
  const [obstacle] = obstaclesInData(call.layout, schemasOf(call.layout));
  if (obstacle !== undefined) return failed(`Nothing was restarted: ${obstacle}`, "The server still runs.");
  const packages = packagesInstalledAt();
  if (!IS_PACKAGED && !(await setUp()))
    return failed("Nothing was restarted: missing packages could not be installed.", "`npm run setup` shows why.");
  // Starts this command afresh, because modules that it loaded from the old packages cannot build with the new ones.
  if (packagesInstalledAt() !== packages) startAfresh(process.argv.slice(2));
  const unbuilt = await whyNotBuilt(CHECKOUT);
  if (unbuilt !== null) return failed(`Nothing was restarted. ${unbuilt}`, "The server still runs.");
  const units = { checkout: CHECKOUT, layout: call.layout, node: process.execPath };
  const renewed = existsSync(SYSTEMD_RUNS) ? await renewUnits(units) : null;
  if (renewed?.ok === false) return failed(`Nothing was restarted: ${renewed.reason}`, "The server still runs.");
  call.terminal.err("Restarting ...");
  const restarted = await restartServer(call.layout, portsOf(settings.settings));
  if (restarted.ok) return done({ restarted: true }, "GhostInbox was restarted.", `${PROGRAM} status`);
  const next = restarted.isRunning ? `\`${PROGRAM} status\` shows more.` : `Start it: ${startCommand(call.layout)}`;
  const what = restarted.isNew === true ? "restarted, but is not ready" : "not restarted";
  return failed(`GhostInbox was ${what}: ${restarted.reason}`, next);
}

/** Installs what a new version needs, as `npm start` does; says nothing if nothing is missing. */
async function setUp(): Promise<boolean> {
  const child = spawn("bash", [join(CHECKOUT, "scripts", "setup")], { stdio: ["inherit", 2, 2] });
  await once(child, "close");
  return child.exitCode === 0;
}

function packagesInstalledAt(): number | undefined {
  return statSync(join(CHECKOUT, "node_modules", ".package-lock.json"), { throwIfNoEntry: false })?.mtimeMs;
}

/** Builds what a start runs, so that it starts sooner. Returns why that failed, or null. Exported for its test. */
export async function whyNotBuilt(checkout: string): Promise<string | null> {
  try {
    for (const kind of ["start", "programs"] as const) await keptBuild(checkout, kind);
    return null;
  } catch (error) {
    if (error instanceof SetUpFailure) return asSentence(error.message);
    throw error;
  }
}

/** `service install`: installs the systemd units of the package for this checkout and this data directory. */
export async function serviceInstall({ layout }: Call): Promise<Answer> {
  const refused = whyNoUnits("install", IS_PACKAGED, existsSync(SYSTEMD_RUNS));
  if (refused !== null) return refused;
  const unset = whyNoDomain(layout);
  if (unset !== null) return unset;
  const installed = await installUnits({ checkout: CHECKOUT, layout, node: process.execPath });
  if (!installed.ok) return failed(installed.reason, "");
  const text = `systemd starts GhostInbox at boot from now on, with the data in ${layout.data}.`;
  return done({ installed: true, data: layout.data }, text, "systemctl start ghostinbox");
}

/** The failure if no domain is set, without which the service would keep failing. Exported for its test. */
export function whyNoDomain(layout: Layout): Failure | null {
  const lost = failureIfEmptied({ layout });
  if (lost !== null) return lost;
  try {
    // systemd does not pass on the variables of this shell.
    readSettings(layout, {});
    return null;
  } catch (error) {
    if (!(error instanceof SetUpFailure)) throw error;
    const next = "GHOSTINBOX_DOMAIN=example.org npm start";
    return failed(`The service could not start. ${error.message}`, `Write it there, or start it once by hand: ${next}`);
  }
}

export async function serviceUninstall(): Promise<Answer> {
  const refused = whyNoUnits("uninstall", IS_PACKAGED, existsSync(SYSTEMD_RUNS));
  if (refused !== null) return refused;
  const removed = await uninstallUnits();
  if (!removed.ok) return failed(removed.reason, `Then \`${PROGRAM} service uninstall\` continues from there.`);
  const text =
    removed.found === true ? "systemd no longer starts GhostInbox." : "No units of GhostInbox are installed.";
  return done({ uninstalled: removed.found === true }, text);
}

/** Exported for its test. */
export function whyNoUnits(what: "install" | "uninstall", isPackaged: boolean, hasSystemd: boolean): Failure | null {
  if (isPackaged)
    return failed(
      "The units of GhostInbox belong to its package.",
      what === "install" ? "Try: systemctl enable --now ghostinbox" : "Try: systemctl disable --now ghostinbox",
    );
  if (hasSystemd) return null;
  return failed("systemd does not run this machine.", "`npm start` runs the server without it.");
}

/** Shows what it would remove, asks, and undoes what set-up did. Works whether or not the server runs. */
export async function uninstall(call: Call): Promise<Answer> {
  if (IS_PACKAGED)
    return failed(
      "GhostInbox was installed as a Debian package.",
      "Try: apt remove ghostinbox (apt purge asks about its data)",
    );
  if (IS_IMAGE)
    return failed(
      "GhostInbox runs in a container.",
      "Remove the container and its volume, on the host (docs/docker.md)",
    );
  const { data } = call.layout;
  if (isForeign(call.layout))
    return failed(
      `${data} holds other programs' files and no ghostinbox.toml, so nothing is uninstalled.`,
      "`--data` or GHOSTINBOX_DATA names a server's directory.",
    );
  const options = { purgeData: call.flag("purge-data"), packages: call.flag("packages") };
  const steps = await planUninstall(call.layout, options);
  const { terminal } = call;
  const list = `GhostInbox will:\n${steps.map((step) => `  - ${step}`).join("\n")}`;
  terminal.err(terminal.width === null ? list : fitted(list, terminal.width));
  if (!call.flag("yes")) {
    if (!terminal.interactive)
      return wrongUsage("There is no terminal to confirm on, so nothing was changed.", "Use --yes to confirm.");
    const reply = await terminal.ask("Continue? Type yes: ");
    if (reply?.trim().toLowerCase() !== "yes") return failed("Nothing was changed.", "");
  }
  const outcome = await undoSetUp(call.layout, options, (doing) => terminal.progress(`${doing} ...`));
  if (!outcome.ok) return failed(outcome.reason, `Once that is fixed, \`${PROGRAM} uninstall\` continues from there.`);
  const kept = existsSync(data) ? ` Mail, accounts and settings are in ${data}.` : "";
  const left = ` Its programs are still in ${CHECKOUT}; delete that directory if you no longer need it.`;
  return done({ steps }, `GhostInbox is uninstalled.${kept}${left}`);
}
