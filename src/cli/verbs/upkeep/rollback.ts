import { readFileSync } from "node:fs";
import { CHANGING, type ChangedSince, type Changes } from "../../../adapters/sqlite/read/changed-since.ts";
import { messageOf } from "../../../core/error.ts";
import { plural } from "../../../core/text.ts";
import { instant } from "../../../core/time.ts";
import { SetUpFailure } from "../../../daemon/set-up/failure.ts";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { agrees } from "../../confirm.ts";
import { comesBack } from "../../print/comes-back.ts";
import { size } from "../../print/size.ts";
import { oneLine } from "../../print/text.ts";

/** How many names of one kind are shown. */
const SHOWN = 5;

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
      ...(typeof changes === "string"
        ? [`What was recorded since cannot be read: ${changes}.`]
        : describeChanges(changes)),
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

function describeChanges(changes: ChangedSince): readonly string[] {
  const differing = CHANGING.flatMap((kind) => {
    const parts = describe(changes[kind]);
    return parts.length === 0 ? [] : [`  ${NAMES[kind]}: ${parts.join("; ")}`];
  });
  return [
    `Since then: ${plural(changes.events, "event")}, which will be missing.`,
    ...differing,
    ...keysToLose(changes),
  ];
}

function keysToLose({ newKeys }: ChangedSince): readonly string[] {
  if (newKeys.length === 0) return [];
  return [
    `Mail of ${someOf(newKeys)} that was encrypted with a key made since then cannot be read any longer: neither a password nor the recovery key opens it without that key, which is in the accounts.db that is set aside.`,
  ];
}

function someOf(names: readonly string[]): string {
  return `${names.slice(0, SHOWN).join(", ")}${names.length > SHOWN ? ", …" : ""}`;
}

const NAMES: Readonly<Record<(typeof CHANGING)[number], string>> = {
  accounts: "accounts",
  aliases: "aliases",
  bans: "bans",
  allowed: "allow list",
  tokens: "tokens",
  passwords: "dashboard",
  factors: "second factors",
  appPasswords: "app passwords",
  forwards: "forwards",
  replies: "vacation replies",
  networks: "networks of accounts",
};

function describe(changes: Changes): readonly string[] {
  return (["added", "removed", "changed"] as const).flatMap((how) => {
    const names = changes[how];
    if (names.length === 0) return [];
    return [`${names.length} ${how} (${someOf(names)})`];
  });
}
