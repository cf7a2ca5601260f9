import { execFileSync } from "node:child_process";
import { existsSync, globSync, lstatSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../core/error.ts";
import { inMb } from "../../core/text.ts";
import { compactTime, instant } from "../../core/time.ts";
import type { Failed, Outcome } from "../../guard/ports.ts";
import { copyFile } from "../../host/root-files/copies.ts";
import { Directory, type Owner, ourselves, ownUid } from "../../host/root-files/directory.ts";
import { freeBytesAt } from "../../host/root-files/disks.ts";
import { moveFile, writeFile } from "../../host/root-files/files.ts";
import { COPY_ALL, Mirror } from "../../host/root-files/mirror.ts";
import { makeDirectory, makePrivateDirectory } from "../../host/root-files/trees.ts";
import { removeTree, walk } from "../../host/root-files/walk.ts";
import {
  closedParent,
  holdsForeignFiles,
  lockHolder,
  releaseLock,
  takeLock,
  usedElsewhere,
} from "../../host/running/data-directory.ts";
import { processesOf } from "../../host/running/processes.ts";
import { stopCommand } from "../../host/running/server-commands.ts";
import { lockedBecause } from "../../mail/dovecot/mail-keys.ts";
import { type Layout, layoutOf } from "../../settings/layout.ts";
import { loadSettings } from "../../settings/load.ts";
import { dropSessions } from "../../store/accounts-db/copied-accounts.ts";
import { joinLegalHolds } from "../retention/retention.ts";
import { checkRestored } from "./check-restored.ts";
import { MANIFEST, type Manifest, parseManifest } from "./manifest.ts";
import { changeBackupRecord, forgetUsedPlace, readBackupRecord } from "./records.ts";
import {
  BEFORE,
  dropWhole,
  exchange,
  finishExchange,
  finishReplacing,
  isEmptyData,
  isExchanging,
  isFixed,
  isReplacing,
  mountsIn,
  replaceContents,
  restoreLock,
  wholeBeside,
  wholeIn,
} from "./replace-contents.ts";
import { prepareDirectory, readKey } from "./repository.ts";
import type { Restic } from "./restic.ts";

/** What set-up has installed here: `uninstall` needs it. */
const RECORDS = ["installed-packages", "installed-besides"];

/** Possible mount points in the data directory: the restored contents move into them. */
const MOVED_INTO = ["mail", "log"];

const FINISHED =
  "An interrupted restore was completed, and this one did not run. Start the server, or run this command again.";

/** Writes a backup into an existing directory, until the signal ends it. */
export type Fetch = (to: string, signal?: AbortSignal) => Promise<Outcome>;

/** Reads and checks the description in a snapshot. */
export async function readManifest(
  restic: Restic,
  snapshot: string,
): Promise<Readonly<{ ok: true; manifest: Manifest }> | Failed> {
  const read = await restic.read(snapshot, `/${MANIFEST}`);
  if (!read.ok) return { ok: false, reason: `The snapshot ${snapshot} cannot be read: ${read.reason}.` };
  const manifest = parseManifest(read.value);
  return manifest === null
    ? { ok: false, reason: `The snapshot ${snapshot} is not one of this program's, or of a newer version.` }
    : { ok: true, manifest };
}

/** Why the whole server cannot be restored into its data directory; null if it can. */
export function refusal(layout: Layout, replaces: boolean): string | null {
  // A start that is not ready yet has no processes there.
  if (processesOf(layout.data).length > 0 || lockHolder(layout.startPid) !== null)
    return `The server in ${layout.data} is running: stop it with ${stopCommand(layout)} first.`;
  const closed = closedParent(layout.data);
  if (closed !== null)
    return `${layout.data} cannot hold the data, because Postfix, Dovecot and the guard may not enter ${closed}: name another place with --data.`;
  const mounts = mountsIn(layout.data);
  const fixed = mounts.find((path) => !MOVED_INTO.some((name) => path === name || path.startsWith(`${name}/`)));
  if (fixed !== undefined)
    return `${join(layout.data, fixed)} is a separate mount, which a restore cannot move: unmount it, restore, then move the restored files onto it (docs/backups.md).`;
  const nested = mounts.find((path) => mounts.some((other) => path.startsWith(`${other}/`)));
  if (nested !== undefined)
    return `${join(layout.data, nested)} is a mount within another one, which a restore cannot move: unmount it first (docs/backups.md).`;
  if (isEmptyData(layout.data, mounts)) return null;
  if (holdsForeignFiles(layout.data))
    return `${layout.data} holds another program's files, so nothing is restored there.`;
  if (replaces) return null;
  return `${layout.data} is not empty. Use --replace to move it aside first.`;
}

/** If the next start completes the restore: `aside`, where the former data is then, or null, and the manifest's `variables`. */
export type NotRestored = Failed & Readonly<{ aside?: string | null; variables?: Manifest["variables"] | undefined }>;

/**
 * Restores the whole data directory. The new one is prepared beside the present one or, if that is a mount, within it. Until it replaces
 * the present one, a failure or a kill changes nothing; `interrupted` ends it like a failure. Returns where the former one is, or null.
 */
export async function restoreServer(
  layout: Layout,
  fetch: Fetch,
  { key, replaces, interrupted }: Readonly<{ key: string | null; replaces: boolean; interrupted?: AbortSignal }>,
): Promise<Readonly<{ ok: true; aside: string | null; manifest: Manifest }> | NotRestored> {
  const isIn = isFixed(layout.data);
  const half = layoutOf(isIn ? wholeIn(layout.data) : wholeBeside(layout.data));
  const lock = restoreLock(layout.data);
  const other = takeLock(lock);
  if (other !== null) return { ok: false, reason: `Another restore is running (pid ${other}): nothing was restored.` };
  // While it is undefined, nothing has been replaced.
  let aside: string | null | undefined;
  let variables: Manifest["variables"];
  try {
    if (isIn ? finishReplacing(layout.data) : finishExchange(layout.data)) return { ok: false, reason: FINISHED };
    removeTree(half.data);
    makeDirectory(dirname(half.data), isIn ? 0o700 : 0o755);
    makePrivateDirectory(half.data);
    const restored = await fetch(half.data, interrupted);
    const used = await usedElsewhere(layout);
    if (used !== null) return { ok: false, reason: `Nothing was restored: ${used}` };
    // From here on nothing is awaited, so no signal is handled before the end.
    if (interrupted?.aborted === true) return { ok: false, reason: "Interrupted: nothing was restored." };
    if (!restored.ok) return { ok: false, reason: `Nothing was restored: ${restored.reason}.` };
    const checked = checkRestored(half);
    if (!checked.ok) return { ok: false, reason: `Nothing was restored: ${checked.reason}.` };
    ({ variables } = checked.manifest);
    // The users of this machine have different ids: the next start gives each its own files.
    giveAll(half.data, ourselves());
    // With these files, new mail would get UIDs that clients have cached for lost mail (RFC 3501, 2.3.1.1). Dovecot makes new ones.
    const uids = globSync("*/*/Maildir{,/.*}/dovecot-uid{list,validity*}", { cwd: half.mail });
    for (const path of uids) removeTree(join(half.mail, path));
    dropSessions(half.accountsDb);
    keepQueue(half);
    prepareDirectory(half);
    forgetUsedPlace(half, layoutOf(checked.manifest.data).backupRepository);
    for (const name of RECORDS)
      if (existsSync(join(layout.data, name))) copyFile(join(layout.data, name), join(half.data, name), 0o644);
    keepProtection(layout, half);
    // The server may have been started since.
    const refused = refusal(layout, replaces);
    if (refused !== null) return { ok: false, reason: `Nothing was restored: ${refused}` };
    const mounts = mountsIn(layout.data);
    for (const mount of mounts) moveToMount(join(half.data, mount), join(layout.data, mount));
    const [own, keepsKey] = [readKey(layout), key === null || !hasOwnPlace(half)];
    const staysOwn = keepsKey && own !== null;
    if (key !== null && !staysOwn) writeFile(half.backupKey, `${key}\n`, { mode: 0o600 });
    // Whoever gave another key has it.
    changeBackupRecord(half, { isKeySeen: staysOwn || key === own ? readBackupRecord(layout).isKeySeen : true });
    // A power loss soon after the restore must not leave empty files: nothing checks them later.
    execFileSync("sync", ["-f", half.data, ...mounts.map((mount) => join(layout.data, mount))]);
    aside = placeForFormer(layout);
    if (isIn) {
      const name = aside === null ? null : basename(aside);
      replaceContents(layout.data, { aside: name, keepsKey }, mounts);
    } else exchange(layout.data, { aside, keepsKey });
    return { ok: true, aside, manifest: checked.manifest };
  } catch (error) {
    const reason = messageOf(error);
    if (aside === undefined || !(isIn ? isReplacing(layout.data) : isExchanging(layout.data)))
      return { ok: false, reason: `Nothing was restored: ${reason}` };
    const former = aside === null ? "" : `, and keeps what was there before in ${aside}`;
    const says = `The restore is not complete; the next start continues it${former}: ${reason}`;
    return { ok: false, reason: says, aside, variables };
  } finally {
    if (isIn) dropWhole(layout.data);
    else if (!isExchanging(layout.data)) removeTree(half.data);
    releaseLock(lock);
  }
}

/** Moves a restored part to its disk. Files keep their times, which are those of their mails, and hard links made by IMAP COPY. */
function moveToMount(from: string, mount: string): void {
  // The next start gives it to its owner, like everything else.
  makePrivateDirectory(mount);
  makeDirectory(dirname(wholeIn(mount)), 0o700);
  removeTree(wholeIn(mount));
  if (existsSync(from)) new Mirror(from, wholeIn(mount), { ...COPY_ALL, joins: true }).pass();
  else makeDirectory(wholeIn(mount), 0o700);
  removeTree(from);
}

/** The directory whose disk needs space for the restored contents. */
export function roomFor({ data }: Layout): string {
  let place = isFixed(data) ? data : dirname(data);
  while (!existsSync(place)) place = dirname(place);
  return place;
}

/** Whether the restored settings name a separate place for backups, whose key is then the given one. */
function hasOwnPlace({ settings }: Layout): boolean {
  const loaded = loadSettings(readFileSync(settings, "utf8"), {});
  return loaded.ok && loaded.settings["backup.repository"] !== "";
}

export function giveAll(path: string, owner: Owner): void {
  using top = Directory.open(path);
  walk(top, (entry) => {
    entry.give(owner);
    return true;
  });
  // Last: until then no other user can enter it.
  top.give(owner);
}

/**
 * Keeps the queue for the next start, which turns its files into mails: their names contain inode numbers of the old disk. Even an empty
 * queue tells the start that the server was restored.
 */
function keepQueue(layout: Layout): void {
  makeDirectory(layout.postfixQueue, 0o755);
  prepareDirectory(layout);
  moveFile(layout.postfixQueue, layout.backupQueue);
}

/**
 * A restore lifts neither an isolation nor a legal hold, forgets no incident, and keeps the key to encrypted mail, which no backup holds.
 * Files of the backup stay if the server has none with that name.
 */
function keepProtection(layout: Layout, half: Layout): void {
  if (existsSync(layout.isolation)) copyFile(layout.isolation, half.isolation, 0o600);
  if (existsSync(layout.strictFirewall)) copyFile(layout.strictFirewall, half.strictFirewall, 0o600);
  makeDirectory(dirname(half.legalHolds), 0o700);
  joinLegalHolds(half.legalHolds, layout.legalHolds);
  new Mirror(layout.incidents, half.incidents, COPY_ALL).pass();
  const { mailPrivateKey: privateKey } = layout;
  if (lockedBecause({ publicKey: half.mailPublicKey, privateKey }) === null) {
    makeDirectory(dirname(half.mailPrivateKey), 0o700);
    copyFile(privateKey, half.mailPrivateKey, 0o600);
  }
}

/** Where the former data goes; null if the directory is empty. */
function placeForFormer({ data }: Layout): string | null {
  if (isEmptyData(data, mountsIn(data))) return null;
  const before = `${BEFORE}${compactTime(instant(Date.now()))}`;
  return isFixed(data) ? join(data, before) : `${data}.${before}`;
}

/** Former data directories, which `--replace` moved aside. */
export function formerBeside(data: string): readonly string[] {
  return globSync(`${data}.${BEFORE}*`).filter((path) => {
    const found = lstatSync(path);
    return found.isDirectory() && found.uid === ownUid();
  });
}

/** Why the disk has too little space for the restored contents; null if it has enough. */
export function lackingRoom(directory: string, bytes: number): string | null {
  const free = freeBytesAt(directory);
  if (free > bytes) return null;
  return `The restore needs ${inMb(bytes)} MB, and the disk of ${directory} has ${inMb(free)} MB left.`;
}
