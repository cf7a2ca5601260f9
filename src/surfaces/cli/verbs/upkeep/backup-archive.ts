import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { formatBytes } from "../../../../core/report/figures.ts";
import { plural } from "../../../../core/text.ts";
import { VERSION } from "../../../../core/version.ts";
import { archiveIn, exportArchive, readArchive } from "../../../../jobs/backup/export.ts";
import { outsideText } from "../../../../jobs/backup/outside-files.ts";
import { type NotRestored, refusal, restoreServer } from "../../../../jobs/backup/restore.ts";
import type { Layout } from "../../../../settings/layout.ts";
import { type Answer, type Call, done, type Failure, failed, noServerIn, PROGRAM, wrongUsage } from "../../call.ts";
import { comesBackFrom } from "../../print/comes-back.ts";
import { oneLine, when } from "../../print/text.ts";
import { withSettings } from "../../server-settings.ts";
import { progressText } from "./backup.ts";

/** Guessed offline, at any speed: shorter ones do not protect. */
const SHORTEST = 12;
const LONGEST = 1_000;

/** `backup export DIR` */
export const backupExport = withSettings(async (call, { settings }) => {
  const none = noServerIn(call.layout);
  if (none !== null) return none;
  const directory = call.args[0] ?? "";
  if (!isAbsolute(directory))
    return wrongUsage(`"${oneLine(directory)}" is not an absolute path.`, "It starts with a slash.");
  const passphrase = await newPassphrase(call);
  if (typeof passphrase !== "string") return passphrase;
  const file = archiveIn(directory, new Date(call.now()));
  const made = await exportArchive(call.layout, {
    file,
    passphrase,
    settings,
    version: VERSION,
    watch: (progress) => call.terminal.progress(progressText("Written", progress)),
  });
  if (!made.ok) return failed(made.reason, "");
  const says = `${file} holds ${plural(made.mails, "mail")} and everything else, in ${formatBytes(made.bytes)}. Only its passphrase opens it.`;
  return done({ file, mails: made.mails, bytes: made.bytes }, says, `${PROGRAM} backup restore ${file} --dry-run`);
});

async function newPassphrase(call: Call) {
  const first = await passphraseOf(call, "Passphrase for the archive (not shown): ");
  if (typeof first !== "string") return first;
  if (first.length < SHORTEST)
    return failed(`The passphrase has fewer than ${SHORTEST} characters.`, "Several unrelated words make a good one.");
  if (!call.terminal.interactive) return first;
  const second = await passphraseOf(call, "Once more: ");
  if (typeof second !== "string") return second;
  return first === second ? first : failed("The two differ: nothing was written.", "Try again.");
}

/** `backup restore FILE.gpg`: an archive of `backup export`, or of the same two programs. */
export async function restoreArchive(call: Call, file: string): Promise<Answer> {
  const { layout } = call;
  if (!existsSync(file)) return failed(`${oneLine(file)} does not exist.`, "");
  const only = ["account", "folder", "message", "to", "from"].find((name) => call.option(name) !== null);
  if (only !== undefined)
    return wrongUsage(`--${only} is for backups, not for an archive.`, "An archive is restored whole.");
  const refused = refusal(layout, call.flag("replace"));
  if (call.flag("dry-run"))
    return done(
      { file, refused },
      `Would restore ${oneLine(file)} to ${layout.data}.${refused === null ? "" : ` But: ${refused}`} Nothing was changed.`,
    );
  if (refused !== null) return failed(refused, "Nothing was restored.");
  const passphrase = await passphraseOf(call, "Passphrase of the archive (not shown): ");
  if (typeof passphrase !== "string") return passphrase;
  const fetch = (to: string, signal?: AbortSignal) =>
    readArchive({
      file,
      passphrase,
      to,
      signal,
      watch: (progress) => call.terminal.progress(progressText("Read", progress)),
    });
  const { interrupted } = call.terminal;
  const restored = await restoreServer(layout, fetch, { key: null, replaces: call.flag("replace"), interrupted });
  if (!restored.ok) return notRestored(layout, restored);
  const { aside, manifest } = restored;
  const what = `the server ${manifest.host} of ${when(manifest.at)}, with ${plural(manifest.mails, "mail")}`;
  return done({ file, to: layout.data, aside, mails: manifest.mails }, restoredText(layout, what, aside), "npm start");
}

/** `what` was restored; `aside`: where the former server is. */
export function restoredText(layout: Layout, what: string, aside: string | null): string {
  const kept = aside === null ? "" : ` What was there before is in ${aside}.`;
  return [`Restored ${what}, to ${layout.data}.${kept}${outsideText(layout)}`, ...comesBackFrom(layout, aside)].join(
    "\n",
  );
}

/** If the next start completes the restore, this names what comes back then, as after a success. */
export function notRestored(layout: Layout, { reason, aside }: NotRestored): Failure {
  if (aside === undefined) return failed(reason, "");
  return failed(reason, "", { lines: comesBackFrom(layout, aside), json: { to: layout.data, aside } });
}

/** From the terminal, or the first line of the input. */
async function passphraseOf({ terminal }: Call, question: string): Promise<string | Failure> {
  const typed = terminal.interactive ? await terminal.askSecret(question) : await terminal.readLine(LONGEST);
  const passphrase = typed ?? "";
  return passphrase === "" ? failed("No passphrase was given.", "Type it, or give it as the input.") : passphrase;
}
