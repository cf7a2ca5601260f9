import { existsSync } from "node:fs";
import { join } from "node:path";
import { HOUR_MS } from "../../core/time.ts";
import type { Failed } from "../../guard/ports.ts";
import { type Finished, lastLines, runProgram } from "../../host/machine/run-program.ts";
import { userIds } from "../../host/machine/system-users.ts";
import { writeFile } from "../../host/root-files/files.ts";
import { makeDirectory, makePrivateDirectory } from "../../host/root-files/trees.ts";
import { removeTree } from "../../host/root-files/walk.ts";
import { accountKeysConf } from "../../mail/dovecot/mail-crypt.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import { memoryDirectory, removeLeftOver, removeLeftOverKeys, scratchOf } from "./repository.ts";
import type { Progress, Restic } from "./restic.ts";
import { giveAll, lackingRoom } from "./restore.ts";

/** Which mails of an account: those in one folder, or with one Message-ID; all if both are null. */
type MailSelection = Readonly<{ account: string; folder: string | null; messageId: string | null }>;

const MANY_MAILS_MS = HOUR_MS;
/** Room for one line of up to 44 bytes for each mail found. */
const FOUND_BYTES = 1 << 28;
/** Exit code of doveadm(1) if a mailbox does not exist. */
const NOT_FOUND = 68;
/** What Dovecot says about a `/` in the name of a folder, unless the owner's settings make it the separator. */
const HAS_SLASH = /Name must not have '\/' characters/;

/**
 * `keys`: private keys of the account, in PEM, if its mail is encrypted with its own key. `interrupted` stops restic and Dovecot, and
 * removes their files outside the mailbox.
 */
type Asked = Readonly<{ selection: MailSelection; folder: string; keys: readonly string[]; interrupted: AbortSignal }>;

/** `isMissing`: the backup has no such folder or account; another one may. */
type MailsRestored = Readonly<{ ok: true; mails: number }> | (Failed & Readonly<{ isMissing?: true }>);

/**
 * Puts mails of a snapshot into a separate folder in the account's mailbox, with their flags and times. Changes nothing
 * else there. Returns the number of mails.
 */
export async function restoreMailbox(
  layout: Layout,
  restic: Restic,
  { snapshot, watch, ...asked }: Asked & Readonly<{ snapshot: string; watch: (progress: Progress) => void }>,
): Promise<MailsRestored> {
  const { selection, interrupted: signal } = asked;
  const [user = "", domain = ""] = selection.account.split("@");
  // Dovecot reads this directory as the user of the mails, who may not enter the directory of the backups.
  const scratch = scratchOf(layout);
  try {
    removeLeftOver(layout);
    removeLeftOverKeys();
    const path = `/mail/${domain}/${user}`;
    const size = await restic.sizeBelow(snapshot, path, signal);
    if (signal.aborted) return { ok: false, reason: "Interrupted: nothing was restored." };
    if (!size.ok) return { ok: false, reason: `Nothing was restored: ${size.reason}.` };
    const lacking = lackingRoom(layout.data, size.value);
    if (lacking !== null) return { ok: false, reason: lacking };
    makePrivateDirectory(scratch);
    const to = { to: scratch, paths: [path], sizeBytes: size.value, watch, signal };
    const restored = await restic.restore(snapshot, to);
    if (signal.aborted) return { ok: false, reason: "Interrupted: nothing was restored." };
    if (!restored.ok) return { ok: false, reason: `Nothing was restored: ${restored.reason}.` };
    const maildir = join(scratch, "mail", domain, user, "Maildir");
    if (!existsSync(maildir))
      return { ok: false, reason: `The snapshot ${snapshot} has no mail of ${selection.account}.`, isMissing: true };
    giveAll(scratch, userIds(USERS.mail));
    const limits = { timeoutMs: MANY_MAILS_MS, mostOutputBytes: FOUND_BYTES, signal };
    return await withKeys(layout.dovecotConf, asked.keys, (conf) =>
      importMails((...args) => runProgram("doveadm", ["-c", conf, ...args], limits), maildir, asked),
    );
  } finally {
    removeTree(scratch);
  }
}

/** Gives `work` a configuration with which Dovecot reads mail by these keys. It is in memory, only for root, until `work` ends. */
async function withKeys<T>(
  dovecotConf: string,
  keys: readonly string[],
  work: (conf: string) => Promise<T>,
): Promise<T> {
  if (keys.length === 0) return work(dovecotConf);
  const directory = memoryDirectory("keys");
  makeDirectory(directory, 0o700);
  try {
    const files = keys.map((key, i) => {
      const file = join(directory, `${i}.pem`);
      writeFile(file, key, { mode: 0o600, flush: false });
      return file;
    });
    const conf = join(directory, "dovecot.conf");
    writeFile(conf, `!include ${dovecotConf}\n${accountKeysConf(files)}`, { mode: 0o600, flush: false });
    return await work(conf);
  } finally {
    removeTree(directory);
  }
}

type Doveadm = (...args: readonly string[]) => Promise<Finished>;

/** Exported for its test. */
export async function importMails(
  doveadm: Doveadm,
  maildir: string,
  { selection, folder, interrupted: signal }: Omit<Asked, "keys">,
): Promise<MailsRestored> {
  const { account } = selection;
  const query = queryOf(selection);
  const source = `maildir:${maildir}`;
  // Counts the mails in the backup, because a client may be changing the folder.
  const search = (...words: readonly string[]) =>
    doveadm("-o", `mail_location=${source}`, "search", "-u", account, ...words);
  const found = await search(...query);
  if (signal.aborted) return { ok: false, reason: "Interrupted: nothing was restored." };
  if (found.code === NOT_FOUND && selection.folder !== null)
    return { ok: false, reason: `The backup has no folder “${selection.folder}” of ${account}.`, isMissing: true };
  if (HAS_SLASH.test(found.stderr)) return wrongSeparator(selection.folder ?? "");
  if (found.code !== 0) return { ok: false, reason: `Nothing was restored: ${lastLines({ ...found, stdout: "" })}` };
  const mails = found.stdout.split("\n").length - 1;
  if (mails === 0) {
    // To a pattern with a slash, Dovecot only says that it found nothing.
    const name = selection.folder?.replaceAll(/[*%]/g, "") ?? "";
    const isWrong = name.includes("/") && HAS_SLASH.test((await search("MAILBOX", name)).stderr);
    return isWrong ? wrongSeparator(selection.folder ?? "") : { ok: true, mails };
  }
  const imported = await doveadm("import", "-u", account, "-s", source, folder, ...query);
  if (signal.aborted)
    return { ok: false, reason: `Interrupted: a part of the mails may be in the folder “${folder}”.` };
  if (HAS_SLASH.test(imported.stderr)) return wrongSeparator(folder);
  if (imported.code !== 0)
    return {
      ok: false,
      reason: `A part of the mails may be in the folder “${folder}”; Dovecot could not take the others (is the quota used up?): ${lastLines(imported)}`,
    };
  return { ok: true, mails };
}

function wrongSeparator(folder: string): Failed {
  return { ok: false, reason: `Nothing was restored: write “${folder.replaceAll("/", ".")}”, not “${folder}”.` };
}

/** Each word is one argument: no text becomes part of the query's grammar (doveadm-search-query(7)). */
function queryOf({ folder, messageId }: MailSelection): readonly string[] {
  return [
    ...(folder === null ? [] : ["MAILBOX", folder]),
    ...(messageId === null ? [] : ["HEADER", "Message-ID", messageId]),
    ...(folder === null && messageId === null ? ["ALL"] : []),
  ];
}
