import { existsSync } from "node:fs";
import type { Layout } from "../../../settings/layout.ts";
import { type CommandCall, type CommandFailure, type CommandOutcome, done, failed, PROGRAM } from "../../call.ts";

/** `service install`: units of systemd for this checkout and this data directory, the same as those of the package. */
export async function serviceInstall({ layout }: CommandCall): Promise<CommandOutcome> {
  const [{ CHECKOUT, IS_PACKAGED }, { installUnits, SYSTEMD_RUNS }] = await Promise.all([
    import("../../../daemon/set-up/checkout.ts"),
    import("../../../daemon/set-up/running/unit-files.ts"),
  ]);
  const refused = unfit("install", IS_PACKAGED, existsSync(SYSTEMD_RUNS));
  if (refused !== null) return refused;
  // systemd does not pass on the variables of this shell.
  const unset = await whyNoDomain(layout, {});
  if (unset !== null) return unset;
  const installed = await installUnits({ checkout: CHECKOUT, layout, node: process.execPath });
  if (!installed.ok) return failed(installed.reason, "");
  const text = `systemd starts GhostInbox at boot from now on, with the data in ${layout.data}.`;
  return done({ installed: true, data: layout.data }, text, "systemctl start ghostinbox");
}

/** Without a domain the service would fail again and again. Exported for its test. */
export async function whyNoDomain(layout: Layout, env: NodeJS.ProcessEnv): Promise<CommandFailure | null> {
  const [{ readSettings }, { SetUpFailure }] = await Promise.all([
    import("../../../daemon/set-up/settings-file.ts"),
    import("../../../daemon/set-up/failure.ts"),
  ]);
  try {
    await readSettings(layout, env);
    return null;
  } catch (error) {
    if (!(error instanceof SetUpFailure)) throw error;
    const next = "GHOSTINBOX_DOMAIN=example.org npm start";
    return failed(`The service could not start. ${error.message}`, `Write it there, or start it once by hand: ${next}`);
  }
}

/** `service uninstall`: stops the server, and takes the units back. */
export async function serviceUninstall(): Promise<CommandOutcome> {
  const [{ IS_PACKAGED }, { SYSTEMD_RUNS, uninstallUnits }] = await Promise.all([
    import("../../../daemon/set-up/checkout.ts"),
    import("../../../daemon/set-up/running/unit-files.ts"),
  ]);
  const refused = unfit("uninstall", IS_PACKAGED, existsSync(SYSTEMD_RUNS));
  if (refused !== null) return refused;
  const removed = await uninstallUnits();
  if (!removed.ok) return failed(removed.reason, `Then \`${PROGRAM} service uninstall\` continues from there.`);
  const text =
    removed.found === true ? "systemd no longer starts GhostInbox." : "No units of GhostInbox are installed.";
  return done({ uninstalled: removed.found === true }, text);
}

/** Exported for its test. */
export function unfit(what: "install" | "uninstall", isPackaged: boolean, hasSystemd: boolean): CommandFailure | null {
  if (process.getuid?.() !== 0)
    return failed(`Only root can ${what} units of systemd.`, `Try: sudo ${PROGRAM} service ${what}`);
  if (isPackaged)
    return failed(
      "The units of GhostInbox belong to its package.",
      what === "install" ? "Try: systemctl enable --now ghostinbox" : "Try: systemctl disable --now ghostinbox",
    );
  if (hasSystemd) return null;
  return failed("systemd does not run this machine.", "`npm start` runs the server without it.");
}
