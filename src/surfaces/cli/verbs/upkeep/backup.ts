import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { messageOf } from "../../../../core/error.ts";
import { formatBytes } from "../../../../core/report/figures.ts";
import { plural } from "../../../../core/text.ts";
import { dayAndTime, instant, isoTime, span } from "../../../../core/time.ts";
import { startCommand } from "../../../../host/running/server-commands.ts";
import { createBackup } from "../../../../jobs/backup/create.ts";
import { drillRestore } from "../../../../jobs/backup/drill.ts";
import { archiveIn, exportArchive, readArchive } from "../../../../jobs/backup/export.ts";
import { outsideText } from "../../../../jobs/backup/outside-files.ts";
import {
  changeBackupRecord,
  type Drill,
  type DrillFindings,
  readBackupRecord,
} from "../../../../jobs/backup/records.ts";
import { alone, placeOf, readKey, repositoryOf } from "../../../../jobs/backup/repository.ts";
import { BY_HAND, type Progress, type Restic } from "../../../../jobs/backup/restic.ts";
import { type NotRestored, refusal, restoreServer } from "../../../../jobs/backup/restore.ts";
import {
  type Answer,
  type Call,
  done,
  type Failure,
  failed,
  noServerIn,
  PROGRAM,
  showKey,
  wrongUsage,
} from "../../call.ts";
import { secretFrom } from "../../passwords.ts";
import { comesBackFrom } from "../../print/comes-back.ts";
import { drillJson, shownLastDrill } from "../../print/drill.ts";
import { columns, oneLine, when } from "../../print/text.ts";
import { environmentOf, settingsOf, withSettings } from "../../server-settings.ts";

export const backupCreate = withSettings(async (call, { settings }) => {
  const none = noServerIn(call.layout);
  if (none !== null) return none;
  call.terminal.progress("Looking at the mail ...");
  const watch = progressOf(call, "Stored");
  const made = await createBackup(call.layout, settings, { tag: BY_HAND, watch });
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

export async function backupList(call: Call): Promise<Answer> {
  const opened = openRepository(call);
  if (!("restic" in opened)) return opened;
  const { restic, place } = opened;
  const read = await restic.snapshots();
  if (!read.ok && read.code !== "no_repository") return failed(`${place} cannot be read: ${read.reason}.`, "");
  const snapshots = (read.ok ? read.value : []).map(({ id, at, host, tags }) => {
    return { id: id.slice(0, 8), at: isoTime(instant(at)), host, tags };
  });
  if (snapshots.length === 0) return done({ place, snapshots }, noBackupIn(place, call), `${PROGRAM} backup create`);
  const rows = snapshots.map(({ id, at, host, tags }) => [id, dayAndTime(at), host, tags.join(" ")]);
  const drill = shownLastDrill(call.layout);
  const text = `${plural(snapshots.length, "backup")} in ${place}, oldest first:\n\n${columns([["SNAPSHOT", "MADE", "HOST", "HOW"], ...rows])}\n\n${drill?.text ?? "Last restore drill: none yet."}`;
  const next = `${PROGRAM} backup restore ${snapshots.at(-1)?.id ?? ""} --dry-run`;
  return done({ place, snapshots, lastDrill: drill?.json ?? null }, text, next);
}

export async function backupVerify(call: Call): Promise<Answer> {
  const opened = openRepository(call);
  if (!("restic" in opened)) return opened;
  const { restic, place } = opened;
  const from = performance.now();
  call.terminal.progress(call.flag("quick") ? "Checking the structure ..." : "Reading everything back ...");
  // restic locks the repository during a check, so a backup would fail.
  const checked = await alone(call.layout, () => restic.check(!call.flag("quick")));
  if (!checked.ok && !("code" in checked)) return failed(checked.reason, "Try again later.");
  if (!checked.ok && checked.code !== "damaged")
    return failed(`The backups in ${place} could not be checked: ${checked.reason}.`, "Fix that and try again.");
  if (!checked.ok)
    return failed(
      `The backups in ${place} are not sound: ${checked.reason}.`,
      `Keep them, and make a new one elsewhere: ${PROGRAM} config set backup.repository PLACE && ${PROGRAM} config apply`,
    );
  const tookMs = Math.round(performance.now() - from);
  const what = call.flag("quick") ? "are consistent; their data was not read" : "were read back whole";
  const says = `The backups in ${place} ${what}. It took ${span(tookMs)}.`;
  return done({ ok: true, place, tookMs, read: !call.flag("quick") }, says);
}

function openRepository(call: Call): Readonly<{ restic: Restic; place: string }> | Failure {
  const read = settingsOf(call);
  if (!read.ok) return read;
  if (readKey(call.layout) === null) return noKey(call);
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

/** Shows the progress: `Stored 120 of 400 MB, 30 MB/s, 10 s left`. */
export function progressOf({ terminal }: Call, verb: string) {
  return ({ doneBytes, totalBytes, elapsedMs }: Progress): void => {
    const rate = elapsedMs > 0 ? doneBytes / elapsedMs : 0;
    const left = rate > 0 && totalBytes > doneBytes ? `, ${span((totalBytes - doneBytes) / rate)} left` : "";
    const speed = rate > 0 ? `, ${formatBytes(rate * 1_000)}/s` : "";
    terminal.progress(`${verb} ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}${speed}${left}`);
  };
}

export const backupDrill = withSettings(async (call, { settings }) => {
  if (readKey(call.layout) === null) return noKey(call);
  call.terminal.progress("Looking for the newest backup ...");
  const outcome = await drillRestore(call.layout, settings, {
    env: environmentOf(call),
    watch: progressOf(call, "Restored"),
    says: (step) => call.terminal.progress(step),
  });
  if (!outcome.ok) return failed(outcome.reason, "Try again later.");
  const { drill } = outcome;
  const json = drillJson(drill);
  if (drill.reason === null)
    return done(
      json,
      `The backup ${drill.snapshot} was restored beside the server, checked and removed again in ${span(drill.tookMs)}.\n${drillText(drill)}`,
    );
  return failed(
    `The restore drill failed: ${oneLine(drill.reason)}.`,
    drill.found === null
      ? `Fix that, or make another backup (${PROGRAM} backup create), then: ${PROGRAM} backup drill`
      : `Make another backup and try again: ${PROGRAM} backup create`,
    { lines: [], json },
  );
});

function drillText({ found, madeAt }: Drill): string {
  if (found === null || madeAt === null) return "";
  const { same, gone } = found;
  const sinceGone = gone === 0 ? "" : `; ${plural(gone, "was", "were")} moved or deleted since`;
  return [
    `  made       ${when(madeAt)}`,
    `  mails      ${plural(found.mails, "mail")} in ${plural(found.mailboxes, "mailbox")}, ${found.queued} in the queue: as many as the server had`,
    `  compared   ${plural(same, "mail matches", "mails match")} the mailboxes${sinceGone}`,
    `  databases  both intact, all rows read: ${plural(found.accounts, "account")}, ${plural(found.aliases, "alias")}, ${plural(found.bans, "ban")}, ${plural(found.tokens, "token")}`,
    "  settings   readable; certificate and DKIM keys match",
    `  server     ${serverText(found)}`,
  ].join("\n");
}

function serverText({ server }: DrillFindings): string {
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

/** Minimum characters of a passphrase, which attackers can guess offline at any speed. */
const SHORTEST = 12;

export const backupExport = withSettings(async (call, { settings }) => {
  const none = noServerIn(call.layout);
  if (none !== null) return none;
  const directory = call.args[0] ?? "";
  if (!isAbsolute(directory))
    return wrongUsage(`"${oneLine(directory)}" is not an absolute path.`, "It starts with a slash.");
  const passphrase = await newPassphrase(call);
  if (typeof passphrase !== "string") return passphrase;
  const file = archiveIn(directory, new Date(call.now()));
  const watch = progressOf(call, "Written");
  const made = await exportArchive(call.layout, { file, passphrase, settings, watch });
  if (!made.ok) return failed(made.reason, "");
  const says = `${file} holds ${plural(made.mails, "mail")} and everything else, in ${formatBytes(made.bytes)}. Only its passphrase opens it.`;
  return done({ file, mails: made.mails, bytes: made.bytes }, says, `${PROGRAM} backup restore ${file} --dry-run`);
});

async function newPassphrase(call: Call) {
  const first = await passphraseOf(call, "Passphrase for the archive");
  if (typeof first !== "string") return first;
  if (first.length < SHORTEST)
    return failed(`The passphrase has fewer than ${SHORTEST} characters.`, "Several unrelated words make a good one.");
  // Invalid UTF-8 was replaced while reading, so gpg would get another passphrase than was typed.
  if (first.includes("\ufffd"))
    return failed("The passphrase contains a character that is not UTF-8.", "Choose another one.");
  if (!call.terminal.interactive) return first;
  const second = await call.terminal.askSecret("Once more: ");
  if (second === null) return failed("Interrupted: nothing was written.", "");
  return first === second ? first : failed("The two differ: nothing was written.", "Try again.");
}

/** `backup restore FILE.gpg`: an archive of `backup export`, or of the same two programs. */
export async function restoreArchive(call: Call, file: string): Promise<Answer> {
  const { layout } = call;
  if (!existsSync(file)) return failed(`${oneLine(file)} does not exist.`, "");
  const only = ["account", "to", "from"].find((name) => call.option(name) !== null);
  if (only !== undefined)
    return wrongUsage(`--${only} is for backups, not for an archive.`, "An archive is restored whole.");
  const refused = refusal(layout, call.flag("replace"));
  if (call.flag("dry-run"))
    return done(
      { file, refused },
      `Would restore ${oneLine(file)} to ${layout.data}.${refused === null ? "" : ` But: ${refused}`} Nothing was changed.`,
    );
  if (refused !== null) return failed(refused, "Nothing was restored.");
  const passphrase = await passphraseOf(call, "Passphrase of the archive");
  if (typeof passphrase !== "string") return passphrase;
  const fetch = (to: string, signal?: AbortSignal) =>
    readArchive({ file, passphrase, to, signal, watch: progressOf(call, "Read") });
  const { interrupted } = call.terminal;
  const restored = await restoreServer(layout, fetch, { key: null, replaces: call.flag("replace"), interrupted });
  if (!restored.ok) return notRestored(call, restored);
  const { aside, manifest } = restored;
  const what = `the server ${manifest.host} as of ${when(manifest.at)} (${plural(manifest.mails, "mail")})`;
  const json = { file, to: layout.data, aside, mails: manifest.mails };
  return done(json, restoredText(call, what, aside, manifest.variables), startCommand(layout));
}

/** `what` was restored; `aside`: where the former server is; `given`: the variables that gave it settings. */
export function restoredText(call: Call, what: string, aside: string | null, given?: readonly string[]): string {
  const kept = aside === null ? "" : ` What was there before is in ${aside}.`;
  const says = `Restored ${what} to ${call.layout.data}.${kept}${outsideText(call.layout)}`;
  return [says, ...missingVariables(call, given), ...comesBackFrom(call.layout, aside)].join("\n");
}

function missingVariables({ env }: Call, given: readonly string[] = []): readonly string[] {
  const missing = given.filter((name) => env[name] === undefined).join(", ");
  return missing ? [`Make sure that the next start has these variables, which no backup holds: ${missing}`] : [];
}

/** The failure of a restore. If the next start completes it, names what that needs and what comes back, as after a success. */
export function notRestored(call: Call, { reason, aside, variables }: NotRestored): Failure {
  if (aside === undefined) return failed(reason, "");
  const lines = [...missingVariables(call, variables), ...comesBackFrom(call.layout, aside)];
  return failed(reason, "", { lines, json: { to: call.layout.data, aside } });
}

async function passphraseOf(call: Call, what: string): Promise<string | Failure> {
  const passphrase = await secretFrom(call, what);
  return passphrase === "" ? failed("No passphrase was given.", "Type it, or give it as the input.") : passphrase;
}
