import { existsSync } from "node:fs";
import { messageOf } from "../../../../core/error.ts";
import { formatBytes } from "../../../../core/report/figures.ts";
import { plural } from "../../../../core/text.ts";
import { dayAndTime, instant, isoTime, span } from "../../../../core/time.ts";
import { VERSION } from "../../../../core/version.ts";
import { createBackup } from "../../../../jobs/backup/create.ts";
import { drillRestore } from "../../../../jobs/backup/drill.ts";
import { changeBackupRecord, type Drill, type Found, readBackupRecord } from "../../../../jobs/backup/records.ts";
import { placeOf, readKey, repositoryOf } from "../../../../jobs/backup/repository.ts";
import { BY_HAND, type Progress, type Restic } from "../../../../jobs/backup/restic.ts";
import { type Answer, type Call, done, type Failure, failed, noServerIn, PROGRAM, showKey } from "../../call.ts";
import { drillJson, shownLastDrill } from "../../print/drill.ts";
import { columns, oneLine, when } from "../../print/text.ts";
import { environmentOf, settingsOf, withSettings } from "../../server-settings.ts";

/** `backup create` */
export const backupCreate = withSettings(async (call, { settings }) => {
  const none = noServerIn(call.layout);
  if (none !== null) return none;
  const watch = (progress: Progress): void => call.terminal.progress(progressText("Stored", progress));
  call.terminal.progress("Looking at the mail ...");
  const made = await createBackup(call.layout, settings, { version: VERSION, tag: BY_HAND, watch });
  if (!made.ok) return failed(made.reason, "");
  const { backup, isKeyNew, place } = made;
  const says = `The backup ${backup.snapshot} was made in ${place}: ${plural(backup.mails, "mail")}, ${formatBytes(backup.bytes)}, of which ${formatBytes(backup.addedBytes)} were new. It took ${span(backup.tookMs)}.`;
  const { at, ...rest } = backup;
  const json = { ...rest, at: isoTime(instant(at)), place };
  if (!isKeyNew) return done(json, says, `${PROGRAM} backup list`);
  const key = readKey(call.layout) ?? "";
  const text = `${says}\n\n${keyText(call, key)}`;
  const shown = { json: { ...json, key }, text, next: `${PROGRAM} backup list` };
  return showKey(call, shown, { ...keySeen(call), again: `The backup was made; show its key: ${PROGRAM} backup key` });
});

/** `backup key` */
export async function backupKey(call: Call): Promise<Answer> {
  const key = readKey(call.layout);
  if (key === null) return noKey(call);
  const text = call.terminal.interactive ? keyText(call, key) : key;
  return showKey(call, { json: { key }, text }, keySeen(call));
}

function keySeen({ layout }: Call) {
  return { seen: () => changeBackupRecord(layout, { isKeySeen: true }), again: `${PROGRAM} backup key` };
}

function keyText(call: Call, key: string): string {
  return `The key of the backups is\n\n    ${key}\n\nWithout it no backup can be read. Keep it outside this machine, on paper or in a password manager: everything in ${call.layout.data} is lost with it.`;
}

function noBackupIn(place: string, { layout }: Call): string {
  const { last } = readBackupRecord(layout);
  return last === null
    ? "No backup exists yet."
    : `${place} holds no backup. The last one was made on ${when(last.at)} in ${last.place}.`;
}

/** `backup list` */
export async function backupList(call: Call): Promise<Answer> {
  const opened = open(call);
  if (!("restic" in opened)) return opened;
  const { restic, place } = opened;
  const read = await restic.snapshots();
  if (!read.ok) {
    if (read.code === "no_repository")
      return done({ place, snapshots: [] }, noBackupIn(place, call), `${PROGRAM} backup create`);
    return failed(`${place} cannot be read: ${read.reason}.`, "");
  }
  const snapshots = read.value.map(({ id, at, host, tags }) => ({
    id: id.slice(0, 8),
    at: isoTime(instant(at)),
    host,
    tags,
  }));
  if (snapshots.length === 0) return done({ place, snapshots }, noBackupIn(place, call), `${PROGRAM} backup create`);
  const rows = snapshots.map(({ id, at, host, tags }) => [id, dayAndTime(at), host, tags.join(" ")]);
  const drill = shownLastDrill(call.layout);
  const text = `${plural(snapshots.length, "backup")} in ${place}, oldest first:\n\n${columns([["SNAPSHOT", "MADE", "HOST", "HOW"], ...rows])}\n\n${drill?.text ?? "Last restore drill: none yet."}`;
  return done(
    { place, snapshots, lastDrill: drill?.json ?? null },
    text,
    `${PROGRAM} backup restore ${snapshots.at(-1)?.id ?? ""} --dry-run`,
  );
}

/** `backup verify` */
export async function backupVerify(call: Call): Promise<Answer> {
  const opened = open(call);
  if (!("restic" in opened)) return opened;
  const { restic, place } = opened;
  const began = Date.now();
  call.terminal.progress(call.flag("quick") ? "Checking the structure ..." : "Reading everything back ...");
  const checked = await restic.check(!call.flag("quick"));
  if (!checked.ok && checked.code !== "damaged")
    return failed(`The backups in ${place} could not be checked: ${checked.reason}.`, "Fix that and try again.");
  if (!checked.ok)
    return failed(
      `The backups in ${place} are not sound: ${checked.reason}.`,
      `Keep them, and make a new one elsewhere: ${PROGRAM} config set backup.repository PLACE`,
    );
  const tookMs = Date.now() - began;
  const what = call.flag("quick") ? "are consistent; their data was not read" : "were read back whole";
  return done(
    { ok: true, place, tookMs, read: !call.flag("quick") },
    `The backups in ${place} ${what}. It took ${span(tookMs)}.`,
  );
}

function open(call: Call): Readonly<{ restic: Restic; place: string }> | Failure {
  const read = settingsOf(call);
  if (!read.ok) return read;
  if (!existsSync(call.layout.backupKey)) return noKey(call);
  try {
    return { restic: repositoryOf(call.layout, read.settings), place: placeOf(call.layout, read.settings) };
  } catch (error) {
    return failed(`The file of backup.environment_file cannot be read: ${messageOf(error)}.`, "");
  }
}

function noKey({ layout }: Call): Failure {
  if (readBackupRecord(layout).last === null)
    return failed("No backup exists yet.", `Make one: ${PROGRAM} backup create`);
  return failed("The key of the backups is missing.", `Put it into ${layout.backupKey}.`);
}

/** `Stored 120 of 400 MB, 30 MB/s, 10 s left` */
export function progressText(verb: string, { doneBytes, totalBytes, elapsedMs }: Progress): string {
  const rate = elapsedMs > 0 ? doneBytes / elapsedMs : 0;
  const left = rate > 0 && totalBytes > doneBytes ? `, ${span((totalBytes - doneBytes) / rate)} left` : "";
  return `${verb} ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}${rate > 0 ? `, ${formatBytes(rate * 1_000)}/s` : ""}${left}`;
}

/** `backup drill` */
export const backupDrill = withSettings(async (call, { settings }) => {
  if (!existsSync(call.layout.backupKey)) return noKey(call);
  const watch = (progress: Progress): void => call.terminal.progress(progressText("Restored", progress));
  call.terminal.progress("Looking for the newest backup ...");
  const outcome = await drillRestore(call.layout, settings, {
    env: environmentOf(call),
    watch,
    says: (step) => call.terminal.progress(step),
  });
  if (!outcome.ok) return failed(outcome.reason, "Try again later.");
  const { drill } = outcome;
  const json = drillJson(drill);
  if (drill.reason === null)
    return done(
      json,
      `The backup ${drill.snapshot} was restored beside the server, checked and removed again in ${span(drill.tookMs)}.\n${lines(drill)}`,
    );
  return failed(
    `The restore drill failed: ${oneLine(drill.reason)}.`,
    `Make another backup and try again: ${PROGRAM} backup create`,
    { lines: [], json },
  );
});

function lines({ found, madeAt }: Drill): string {
  if (found === null || madeAt === null) return "";
  const { same, gone } = found;
  const sinceGone = gone === 0 ? "" : `; ${gone} moved or deleted since`;
  return [
    `  made       ${when(madeAt)}`,
    `  mails      ${plural(found.mails, "mail")} in ${plural(found.mailboxes, "mailbox")}, ${found.queued} in the queue: as many as the server had`,
    `  compared   ${plural(same, "mail")} with the mailboxes: equal${sinceGone}`,
    `  databases  both whole, row by row: ${plural(found.accounts, "account")}, ${plural(found.aliases, "alias")}, ${plural(found.bans, "ban")}, ${plural(found.tokens, "token")}`,
    "  settings   readable; certificate and DKIM keys match",
    `  server     ${serverText(found)}`,
  ].join("\n");
}

function serverText({ server }: Found): string {
  if (server === null)
    return "not started: root cannot create namespaces or mount in them here, so it would disturb the running server";
  const { startMs, mails, signedIn, aliases, bans } = server;
  return [
    `started from it without a network in ${span(startMs)}: Dovecot counts ${plural(mails, "mail")}`,
    signedIn === null ? "no account to sign in with" : `${signedIn} can sign in`,
    `${plural(aliases, "alias")} forwarded`,
    bans === null ? "no firewall" : `${plural(bans, "ban")} in its firewall`,
  ].join(", ");
}
