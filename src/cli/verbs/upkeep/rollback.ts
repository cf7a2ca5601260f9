import { readFileSync } from "node:fs";
import { messageOf } from "../../../core/error.ts";
import { instant } from "../../../core/time.ts";
import { SetUpFailure } from "../../../daemon/set-up/failure.ts";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { agrees } from "../../confirm.ts";
import { changesText, comesBack } from "../../print/comes-back.ts";
import { size } from "../../print/size.ts";
import { oneLine } from "../../print/text.ts";

/** `rollback`: the databases and settings from before the last upgrade. Mail stays unchanged. */
export async function rollback(call: CommandCall): Promise<CommandOutcome> {
  const { layout, terminal } = call;
  if (process.getuid?.() !== 0) return failed("Only root can take an upgrade back.", `Try: sudo ${PROGRAM} rollback`);
  const [
    { changesToLose, rollBack, whyNoRollback },
    { describeSnapshot, inSnapshot, readSnapshot },
    { releaseLock, takeLock },
    { processesOf },
    { bytesBelow },
  ] = await Promise.all([
    import("../../../daemon/set-up/upgrade/rollback.ts"),
    import("../../../daemon/set-up/upgrade/upgrade-snapshot.ts"),
    import("../../../daemon/set-up/running/lock.ts"),
    import("../../../daemon/set-up/running/processes.ts"),
    import("../../../adapters/root-files/files-below.ts"),
  ]);
  const snapshot = readSnapshot(layout);
  if (snapshot === null)
    return failed(
      `No snapshot to go back to: an upgrade makes one in ${layout.beforeUpgrade} when it changes the databases.`,
      `\`${PROGRAM} backup list\` shows the backups.`,
    );
  const why = whyNoRollback(layout, snapshot);
  if (why !== null) return failed(why, `\`${PROGRAM} backup list\` shows the backups.`);
  try {
    takeLock(layout.startPid, layout.data);
  } catch (error) {
    if (error instanceof SetUpFailure) return failed(error.message, `Stop it first: ${PROGRAM} stop`);
    throw error;
  }
  try {
    if (processesOf(layout.data).length > 0)
      return failed("Parts of the server still run.", `Stop them first: ${PROGRAM} stop`);
    const changes = orWhyNot(() => changesToLose(layout, snapshot));
    const hasNewSettings =
      readFileSync(layout.settings, "utf8") !== readFileSync(inSnapshot(layout, snapshot, layout.settings), "utf8");
    const says = [
      `The snapshot is of ${describeSnapshot(snapshot)}.`,
      ...(typeof changes === "string" ? [`What was recorded since cannot be read: ${changes}.`] : changesText(changes)),
      ...(hasNewSettings ? ["  ghostinbox.toml was changed"] : []),
      ...(typeof changes === "string" ? [] : comesBack(changes)),
      "What was added since is gone then, what was removed is back, and changes are undone. All sessions of the dashboard end. Mail stays: in the mailboxes and in the queue.",
    ];
    for (const line of says) terminal.err(oneLine(line));
    if (!call.flag("yes")) {
      if (!terminal.interactive)
        return wrongUsage("No terminal to ask on: nothing was changed.", "Give --yes if that is what you want.");
      if (!(await agrees(call, "Go back to the snapshot?"))) return failed("Nothing was changed.", "");
    }
    const made = orWhyNot(() => ({ aside: rollBack(layout, snapshot, instant(call.now())) }));
    if (typeof made === "string")
      return failed(
        `It could not be undone: ${made}.`,
        "Settle that, and try again; a rollback that has started continues.",
      );
    const { aside } = made;
    const text = [
      `The databases and the settings are those of the snapshot. The former ones are in ${aside} (${size(bytesBelow(aside))}) until you delete it.`,
      ...(typeof changes === "string" || changes.newKeys.length === 0 ? [] : [KEYS]),
      ...(typeof changes === "string" || changes.audited === 0 ? [] : [AUDIT]),
      `Start the version that you had before${snapshot.version === null ? "" : ` (${snapshot.version})`}; the newer one does not start until ${layout.takenBack} is deleted.`,
    ];
    const json = typeof changes === "string" ? null : changes;
    return done({ snapshot, changes: json, settingsChanged: hasNewSettings, aside }, text.join("\n"));
  } finally {
    releaseLock(layout.startPid);
  }
}

/** What it returns, or what it throws. */
function orWhyNot<T extends object>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    return messageOf(error);
  }
}

const AUDIT = `The audit has lost its newest entries: \`${PROGRAM} audit accept "an upgrade was undone"\` once the server runs.`;

const KEYS = "Keep the accounts.db in it: it alone has the keys of mail that was encrypted since.";
