import { existsSync } from "node:fs";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { fitted } from "../../print/text.ts";

/** Shows what it would remove, asks, and undoes what set-up did. Works whether or not the server runs. */
export async function uninstall(call: CommandCall): Promise<CommandOutcome> {
  if (process.getuid?.() !== 0) return failed("Only root can uninstall GhostInbox.", `Try: sudo ${PROGRAM} uninstall`);
  // Loaded here: no other command needs this much of set-up.
  const [{ isForeign }, { planUninstall, uninstall: takeBack }, { CHECKOUT, IS_IMAGE, IS_PACKAGED }] =
    await Promise.all([
      import("../../../daemon/set-up/data-directory.ts"),
      import("../../../daemon/set-up/upgrade/uninstall.ts"),
      import("../../../daemon/set-up/checkout.ts"),
    ]);
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
      return wrongUsage("No terminal to ask on: nothing was changed.", "Give --yes if that is what you want.");
    const reply = await terminal.ask("Continue? Type yes: ");
    if (reply?.trim().toLowerCase() !== "yes") return failed("Nothing was changed.", "");
  }
  const outcome = await takeBack(call.layout, options, (doing) => terminal.progress(`${doing} ...`));
  if (!outcome.ok)
    return failed(outcome.reason, `Once that is settled, \`${PROGRAM} uninstall\` continues from there.`);
  const kept = existsSync(data) ? ` Mail, accounts and settings are in ${data}.` : "";
  const left = ` Its programs are in ${CHECKOUT}, which is yours to delete.`;
  return done({ steps }, `GhostInbox is uninstalled.${kept}${left}`);
}
