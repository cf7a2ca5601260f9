import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute } from "node:path";
import { messageOf } from "../../../../core/error.ts";
import { parseAccountName } from "../../../../core/net/address.ts";
import { formatBytes } from "../../../../core/report/figures.ts";
import { plural } from "../../../../core/text.ts";
import { instant, isoTime } from "../../../../core/time.ts";
import { makeOwnDirectory } from "../../../../host/root-files/trees.ts";
import { startCommand } from "../../../../host/running/server-commands.ts";
import type { Manifest } from "../../../../jobs/backup/manifest.ts";
import { placeOf, readEnvironment, readKey } from "../../../../jobs/backup/repository.ts";
import { latestOf, Restic } from "../../../../jobs/backup/restic.ts";
import { DAMAGED } from "../../../../jobs/backup/restic-failure.ts";
import { lackingRoom, readManifest, refusal, restoreServer, roomFor } from "../../../../jobs/backup/restore.ts";
import { restoreMailbox } from "../../../../jobs/backup/restore-mailbox.ts";
import { type Answer, type Call, confirmed, done, type Failure, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { secretFrom } from "../../passwords.ts";
import { oneLine, when } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";
import { privateKeysOf } from "../accounts/account-keys.ts";
import { notRestored, progressOf, restoreArchive, restoredText } from "./backup.ts";

type Source = Readonly<{ restic: Restic; place: string; key: string }>;
type Chosen = Source & Readonly<{ snapshot: string; manifest: Manifest }>;

/** `backup restore [SNAPSHOT]`: the whole server, or with --account mails of one account. */
export async function backupRestore(call: Call): Promise<Answer> {
  const wrong = wrongOptions(call);
  if (wrong !== null) return wrong;
  const [asked = "latest"] = call.args;
  if (asked.endsWith(".gpg")) return restoreArchive(call, asked);
  const chosen = await choose(call, asked);
  const answer = "ok" in chosen ? chosen : await restoreChosen(call, chosen);
  if (answer.ok || !answer.message.endsWith(`: ${DAMAGED}.`)) return answer;
  const snapshot = "ok" in chosen ? asked : chosen.snapshot;
  const command = `restic -r PLACE restore ${snapshot} --no-lock --tag ghostinbox --target DIR`;
  return { ...answer, next: `\`${command}\` writes its intact files and names the others; the password is the key.` };
}

async function restoreChosen(call: Call, chosen: Chosen): Promise<Answer> {
  if (call.option("account") !== null) return restoreMails(call, chosen);
  const to = call.option("to");
  return to === null ? restoreAll(call, chosen) : restoreFiles(call, chosen, to);
}

function wrongOptions(call: Call): Failure | null {
  const given = (...names: readonly string[]) => names.filter((name) => call.option(name) !== null);
  const account = call.option("account");
  if (account === null && given("folder", "message", "into").length > 0)
    return wrongUsage("--folder, --message and --into are for mails of one account.", "Name it: --account ADDRESS");
  if (account !== null && given("to").length > 0)
    return wrongUsage("--account and --to exclude each other.", "Use only one; --into names a folder of the account.");
  if (given("from").length === 0 && given("environment-file").length > 0)
    return wrongUsage("--environment-file is for the place that --from names.", "Name it: --from PLACE");
  if (account !== null && parseAccountName(account) === null)
    return wrongUsage(`"${oneLine(account)}" is not an address of an account.`, "Write it like anna@example.org.");
  const to = call.option("to");
  if (to !== null && !isAbsolute(to))
    return wrongUsage(`"${oneLine(to)}" is not an absolute path.`, "It starts with a slash.");
  return null;
}

async function choose(call: Call, asked: string): Promise<Chosen | Failure> {
  const source = await sourceOf(call);
  if ("ok" in source) return source;
  const { restic, place } = source;
  if (!/^(?:latest|[0-9a-f]{6,64})$/.test(asked))
    return wrongUsage(`"${oneLine(asked)}" is not a snapshot.`, `\`${PROGRAM} backup list\` shows them.`);
  const found = await restic.snapshots();
  if (!found.ok)
    return failed(
      `${place} cannot be read: ${found.reason}.`,
      found.code === "wrong_key" ? "The key was shown when the first backup was made." : "",
    );
  const snapshot =
    asked === "latest" ? latestOf(found.value)?.id : found.value.find(({ id }) => id.startsWith(asked))?.id;
  if (snapshot === undefined)
    return failed(asked === "latest" ? `${place} holds no backup.` : `${place} has no snapshot ${asked}.`, "");
  const read = await readManifest(restic, snapshot.slice(0, 8));
  return read.ok ? { ...source, snapshot: snapshot.slice(0, 8), manifest: read.manifest } : failed(read.reason, "");
}

async function sourceOf(call: Call): Promise<Source | Failure> {
  const { layout } = call;
  const from = call.option("from");
  try {
    const own = from === null ? settingsOf(call) : null;
    if (own?.ok === false) return own;
    const key = await keyOf(call, own === null ? null : readKey(layout));
    if (typeof key !== "string") return key;
    const file = own === null ? call.option("environment-file") : own.settings["backup.environment_file"];
    const place = from ?? (own?.settings["backup.repository"] || layout.backupRepository);
    const restic = new Restic({ place, key: { text: key }, cache: "", environment: readEnvironment(file ?? "") });
    return { restic, place: own === null ? oneLine(place) : placeOf(layout, own.settings), key };
  } catch (error) {
    return failed(`The credentials cannot be read: ${messageOf(error)}.`, "");
  }
}

/** The key of the backups from --key-file, otherwise that of this machine, otherwise from standard input or the terminal. */
async function keyOf(call: Call, own: string | null): Promise<string | Failure> {
  const file = call.option("key-file");
  if (file !== null) {
    if (existsSync(file)) return readFileSync(file, "utf8").split("\n", 1)[0]?.trim() ?? "";
    return failed(`${oneLine(file)} does not exist.`, "It holds the key of the backups, on its first line.");
  }
  if (own !== null) return own;
  const typed = await secretFrom(call, "Key of the backups");
  if (typeof typed !== "string") return typed;
  const key = typed.trim();
  return key === ""
    ? failed("Without the key no backup can be read.", "Give it with --key-file FILE, or as input.")
    : key;
}

async function restoreAll(call: Call, { restic, place, key, snapshot, manifest }: Chosen): Promise<Answer> {
  const { layout } = call;
  const needs = await restic.size(snapshot);
  if (!needs.ok) return failed(`${place} cannot be read: ${needs.reason}.`, "");
  const refused = refusal(layout, call.flag("replace")) ?? lackingRoom(roomFor(layout), needs.value);
  const { host, at, mails, queued, variables } = manifest;
  const what = `the server ${host} as of ${when(at)} (${plural(mails, "mail")} in mailboxes, ${queued} in the queue, ${formatBytes(needs.value)})`;
  const json = { snapshot, place, host, at: isoTime(instant(at)), mails, queued, bytes: needs.value };
  if (call.flag("dry-run"))
    return done(
      { ...json, refused },
      `Would restore ${what} to ${layout.data}.${refused === null ? "" : ` But: ${refused}`} Nothing was changed.`,
    );
  if (refused !== null) return failed(refused, "Nothing was restored.");
  if (!(await confirmed(call, `Restore ${what} to ${layout.data}?`))) return failed("Nothing was restored.", "");
  const fetch = (to: string, signal?: AbortSignal) =>
    restic.restore(snapshot, { to, sizeBytes: needs.value, watch: progressOf(call, "Restored"), signal });
  const { interrupted } = call.terminal;
  const restored = await restoreServer(layout, fetch, { key, replaces: call.flag("replace"), interrupted });
  if (!restored.ok) return notRestored(call, restored);
  const { aside } = restored;
  return done({ ...json, to: layout.data, aside }, restoredText(call, what, aside, variables), startCommand(layout));
}

async function restoreFiles(call: Call, { restic, snapshot, manifest }: Chosen, to: string): Promise<Answer> {
  if (existsSync(to)) return alreadyExists(to);
  if (!existsSync(dirname(to))) return failed(`${oneLine(dirname(to))} does not exist.`, "Make it first.");
  if (call.flag("dry-run"))
    return done(
      { snapshot, to },
      `Would write everything of ${when(manifest.at)} to ${oneLine(to)}. Nothing was changed.`,
    );
  const made = madeDirectory(to);
  if (typeof made !== "string") return made;
  const restored = await restic.restore(snapshot, { to: made, watch: progressOf(call, "Restored") });
  if (!restored.ok) return failed(`Not everything could be written to ${oneLine(to)}: ${restored.reason}.`, "");
  return done({ snapshot, to }, `All files of ${when(manifest.at)} are in ${oneLine(to)}.`);
}

function alreadyExists(to: string): Failure {
  return failed(`${oneLine(to)} already exists.`, "Name a directory that does not exist.");
}

/** Makes a directory that only root can change. restic(1) follows links, which another user could otherwise put there first. */
function madeDirectory(to: string): string | Failure {
  try {
    return makeOwnDirectory(to, 0o700) ?? alreadyExists(to);
  } catch (error) {
    return failed(
      `Nothing was restored: ${messageOf(error)}`,
      "Name a new directory in one that only root can write to, such as /root.",
    );
  }
}

async function restoreMails(call: Call, { restic, snapshot, manifest }: Chosen): Promise<Answer> {
  const running = await call.guard.ask({ verb: "ping" });
  if (!running.ok) return running;
  const account = parseAccountName(call.option("account") ?? "") ?? "";
  // Mails are restored as stored, without a key. To find one by its Message-ID, Dovecot must decrypt them all.
  const keys = call.option("message") === null ? [] : await privateKeysOf(call, account);
  if ("ok" in keys) return keys;
  const selection = { account, folder: call.option("folder"), messageId: call.option("message") };
  const folder = call.option("into") ?? `Restored ${isoTime(instant(manifest.at)).slice(0, 10)}`;
  const what = mailsText(selection);
  if (call.flag("dry-run"))
    return done(
      { snapshot, account, folder },
      `Would put ${what} of ${when(manifest.at)} below the folder “${folder}” of ${account}. Nothing was changed.`,
    );
  const { interrupted } = call.terminal;
  const asked = { snapshot, selection, folder, keys, interrupted, watch: progressOf(call, "Restored") };
  const restored = await restoreMailbox(call.layout, restic, asked);
  if (!restored.ok) return failed(restored.reason, restored.isMissing === true ? OTHERS : "");
  if (restored.mails === 0) return failed(`The snapshot has no such mail of ${account}.`, OTHERS);
  return done(
    { snapshot, account, folder, mails: restored.mails },
    `${plural(restored.mails, "mail")} of ${when(manifest.at)} ${restored.mails === 1 ? "is" : "are"} below the folder “${folder}” of ${account}.`,
  );
}

const OTHERS = `\`${PROGRAM} backup list\` shows other backups: name one that is old enough.`;

function mailsText({ folder, messageId }: Readonly<{ folder: string | null; messageId: string | null }>): string {
  if (messageId !== null) return `the mail ${oneLine(messageId)}`;
  return folder === null ? "all mails" : `the mails of the folder ${oneLine(folder)}`;
}
