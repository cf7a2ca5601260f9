import { existsSync } from "node:fs";
import type { Progress, Restic } from "../../../adapters/backup/restic.ts";
import { messageOf } from "../../../core/error.ts";
import { dayAndTime, span } from "../../../core/shown.ts";
import { plural } from "../../../core/text.ts";
import { instant, isoTime } from "../../../core/time.ts";
import { VERSION } from "../../../core/version.ts";
import { type CommandCall, type CommandFailure, type CommandOutcome, done, failed, PROGRAM } from "../../call.ts";
import { noServerIn } from "../../no-server.ts";
import { size } from "../../print/size.ts";
import { columns } from "../../print/text.ts";
import { settingsOf, type ValidSettings } from "../settings/server-settings.ts";
import { lastDrillJson, lastDrillText } from "./last-drill.ts";

/** Loaded where needed: no other command uses restic. */
export function backups() {
  return Promise.all([
    import("../../../daemon/backup/create.ts"),
    import("../../../daemon/backup/record.ts"),
    import("../../../daemon/backup/repository.ts"),
  ]).then(([create, record, repository]) => ({ ...create, ...record, ...repository }));
}

/** `backup create` */
export async function backupCreate(call: CommandCall): Promise<CommandOutcome> {
  const read = rootWithSettings(call);
  if (!("settings" in read)) return read;
  const none = noServerIn(call.layout);
  if (none !== null) return none;
  const { createBackup, readKey } = await backups();
  const watch = (progress: Progress): void => call.terminal.progress(progressText("Stored", progress));
  call.terminal.progress("Looking at the mail ...");
  const made = await createBackup(call.layout, read.settings, { version: VERSION, tag: "by-hand", watch });
  if (!made.ok) return failed(made.reason, "Nothing of an earlier backup is lost.");
  const { backup, isKeyNew, place } = made;
  const says = `The backup ${backup.snapshot} is made in ${place}: ${plural(backup.mails, "mail")}, ${size(backup.bytes)}, of which ${size(backup.addedBytes)} were new. It took ${span(backup.tookMs)}.`;
  const { at, ...rest } = backup;
  const json = { ...rest, at: isoTime(instant(at)), place };
  if (!isKeyNew) return done(json, says, `${PROGRAM} backup list`);
  const key = readKey(call.layout) ?? "";
  return done({ ...json, key }, `${says}\n\n${keyText(call, key)}`, `${PROGRAM} backup list`);
}

/** `backup key` */
export async function backupKey(call: CommandCall): Promise<CommandOutcome> {
  const refused = rootOnly("backup key");
  if (refused !== null) return refused;
  const { readKey, changeBackupRecord } = await backups();
  const key = readKey(call.layout);
  if (key === null)
    return failed("The first backup makes the key, and none was made yet.", `Make one: ${PROGRAM} backup create`);
  changeBackupRecord(call.layout, { isKeySeen: true });
  return done({ key }, call.terminal.interactive ? keyText(call, key) : key);
}

function keyText(call: CommandCall, key: string): string {
  return `The key of the backups is\n\n    ${key}\n\nWithout it no backup can be read. Keep it outside this machine, on paper or in a password manager: everything in ${call.layout.data} is lost with it.`;
}

/** `backup list` */
export async function backupList(call: CommandCall): Promise<CommandOutcome> {
  const opened = await open(call);
  if (!("restic" in opened)) return opened;
  const { restic, place } = opened;
  const read = await restic.snapshots();
  if (!read.ok) {
    if (read.code === "no_repository")
      return done({ place, snapshots: [] }, "No backup exists yet.", `${PROGRAM} backup create`);
    return failed(`${place} cannot be read: ${read.reason}.`, "");
  }
  const snapshots = read.value.map(({ id, at, host, tags }) => ({
    id: id.slice(0, 8),
    at: isoTime(instant(at)),
    host,
    tags,
  }));
  if (snapshots.length === 0) return done({ place, snapshots }, "No backup exists yet.", `${PROGRAM} backup create`);
  const rows = snapshots.map(({ id, at, host, tags }) => [id, dayAndTime(at), host, tags.join(" ")]);
  const drill = lastDrillText(call.layout) ?? "Last restore drill: none yet.";
  const text = `${plural(snapshots.length, "backup")} in ${place}, oldest first:\n\n${columns([["SNAPSHOT", "MADE", "HOST", "HOW"], ...rows])}\n\n${drill}`;
  return done(
    { place, snapshots, lastDrill: lastDrillJson(call.layout) },
    text,
    `${PROGRAM} backup restore ${snapshots.at(-1)?.id ?? ""} --dry-run`,
  );
}

/** `backup verify` */
export async function backupVerify(call: CommandCall): Promise<CommandOutcome> {
  const opened = await open(call);
  if (!("restic" in opened)) return opened;
  const { restic, place } = opened;
  const began = Date.now();
  call.terminal.progress(call.flag("quick") ? "Checking how it hangs together ..." : "Reading everything back ...");
  const checked = await restic.check(!call.flag("quick"));
  if (!checked.ok)
    return failed(
      `The backups in ${place} are not sound: ${checked.reason}.`,
      `Keep them, and make a new one elsewhere: ${PROGRAM} config set backup.repository PLACE`,
    );
  const tookMs = Date.now() - began;
  const what = call.flag("quick") ? "hang together; their data was not read" : "were read back whole";
  return done(
    { ok: true, place, tookMs, read: !call.flag("quick") },
    `The backups in ${place} ${what}. It took ${span(tookMs)}.`,
  );
}

/** The repository that the settings name, with its key. */
async function open(call: CommandCall): Promise<Readonly<{ restic: Restic; place: string }> | CommandFailure> {
  const read = rootWithSettings(call);
  if (!("settings" in read)) return read;
  const { placeOf, repositoryOf } = await backups();
  if (!existsSync(call.layout.backupKey)) return failed("No backup exists yet.", `Make one: ${PROGRAM} backup create`);
  try {
    return { restic: repositoryOf(call.layout, read.settings), place: placeOf(call.layout, read.settings) };
  } catch (error) {
    return failed(`The file of backup.environment_file cannot be read: ${messageOf(error)}.`, "");
  }
}

export function rootWithSettings(call: CommandCall): ValidSettings | CommandFailure {
  return rootOnly("backup") ?? settingsOf(call);
}

export function rootOnly(command: string): CommandFailure | null {
  if (process.getuid?.() === 0) return null;
  return failed(`Only root may use \`${command}\`.`, "Try again with sudo.");
}

/** `Stored 120 of 400 MB, 30 MB/s, 10 s left` */
export function progressText(verb: string, { doneBytes, totalBytes, elapsedMs }: Progress): string {
  const rate = elapsedMs > 0 ? doneBytes / elapsedMs : 0;
  const left = rate > 0 && totalBytes > doneBytes ? `, ${span((totalBytes - doneBytes) / rate)} left` : "";
  return `${verb} ${size(doneBytes)} of ${size(totalBytes)}${rate > 0 ? `, ${size(rate * 1_000)}/s` : ""}${left}`;
}
