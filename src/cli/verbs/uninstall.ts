import { type CommandCall, type CommandOutcome, done, failed, PROGRAM, wrongUsage } from "../call.ts";

/** Shows what it would remove, asks, and undoes what set-up did. Works whether or not the server runs. */
export async function uninstall(call: CommandCall): Promise<CommandOutcome> {
  if (process.getuid?.() !== 0) return failed("Only root can uninstall GhostInbox.", `Try: sudo ${PROGRAM} uninstall`);
  // Loaded here: no other command needs this much of set-up.
  const { planUninstall, uninstall: takeBack } = await import("../../daemon/set-up/uninstall.ts");
  const options = { purgeData: call.flag("purge-data"), packages: call.flag("packages") };
  const steps = await planUninstall(call.layout, options);
  const { terminal } = call;
  terminal.err(`GhostInbox will:\n${steps.map((step) => `  - ${step}`).join("\n")}`);
  if (!call.flag("yes")) {
    if (!terminal.interactive)
      return wrongUsage("There is no terminal to ask on: nothing was changed.", "Give --yes if that is what you want.");
    const reply = await terminal.ask("Go on? Type yes: ");
    if (reply?.trim().toLowerCase() !== "yes") return failed("Nothing was changed.", "");
  }
  const outcome = await takeBack(call.layout, options);
  if (!outcome.ok) return failed(outcome.reason, `Once that is settled, \`${PROGRAM} uninstall\` goes on from there.`);
  return done({ steps }, "GhostInbox is uninstalled. This directory is yours to delete.");
}
