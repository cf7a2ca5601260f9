import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { failureOf, messageOf } from "../../core/error.ts";
import { inMb } from "../../core/text.ts";
import type { Failed } from "../../guard/ports.ts";
import { freeBytesAt } from "../../host/root-files/disks.ts";
import { bytesBelow } from "../../host/root-files/walk.ts";
import type { Layout } from "../../settings/layout.ts";
import { namedFiles, type Settings } from "../../settings/schema.ts";
import { changeBackupRecord, type DoneBackup, hasUsedPlace, noteUsedPlace, readBackupRecord } from "./records.ts";
import { alone, placeOf, prepareKey, readKey, removeLeftOver, repositoryOf } from "./repository.ts";
import type { Progress, Restic, Tag } from "./restic.ts";
import { createStage, stagedBytes } from "./stage.ts";

/** Additional free space that the disk must have (bytes). */
const SPARE_BYTES = 64 << 20;

export type CreateOutcome = Readonly<{ ok: true; backup: DoneBackup; isKeyNew: boolean; place: string }> | Failed;
type How = Readonly<{ tag: Tag; watch: (progress: Progress) => void }>;

/** Runs one backup, and records its result if that is possible. */
export async function createBackup(layout: Layout, settings: Settings, how: How): Promise<CreateOutcome> {
  return alone(layout, async () => {
    const at = Date.now();
    const outcome = await make(layout, settings, { ...how, at }).catch(
      (error: unknown): Failed => ({ ok: false, reason: messageOf(error) }),
    );
    // A full disk may refuse the note, too: the reason is returned anyway.
    if (!outcome.ok) failureOf(() => changeBackupRecord(layout, { failure: { at, reason: outcome.reason } }));
    return outcome;
  });
}

async function make(
  layout: Layout,
  settings: Settings,
  { tag, watch, at }: How & Readonly<{ at: number }>,
): Promise<CreateOutcome> {
  const place = placeOf(layout, settings);
  removeLeftOver(layout);
  const stage = createStage(layout, namedFiles(settings));
  // The stage of a killed backup takes space that this one needs.
  stage.remove();
  const lacking = lackingForStage(layout);
  if (lacking !== null) return { ok: false, reason: lacking };
  const opened = await openRepository(layout, settings);
  if (!opened.ok) return opened;
  const { restic, isKeyNew } = opened;
  // Noted before the first snapshot, so that the snapshot contains it.
  noteUsedPlace(layout, place);
  try {
    const manifest = await stage.build({ at, host: settings.hostname });
    // The first backup stores everything. Later ones store only what is new: at most all that the stage copies, and new mail.
    const isFirst = readBackupRecord(layout).last?.place !== place;
    const stored = () => (isFirst ? bytesBelow(stage.path()) : stagedBytes(layout));
    const isLocal = place.startsWith("/");
    const short = isLocal ? lackingSpace(place, stored()) : null;
    if (short !== null) {
      await restic.forget(settings["backup.keep"]);
      return { ok: false, reason: short };
    }
    const added = await restic.backup(stage.path(), { host: settings.hostname, tag, watch });
    if (!added.ok) {
      // The partial data belongs to no snapshot, and mail needs the space.
      if (added.code === "full") {
        await restic.forget(settings["backup.keep"]);
        await restic.dropUnfinished();
      }
      return { ok: false, reason: `Nothing was stored in ${place}: ${added.reason}.` };
    }
    const { id, files, bytes, addedBytes } = added.value;
    const mails = manifest.mails + manifest.queued;
    const backup = { at, tookMs: Date.now() - at, snapshot: id, place, mails, files, bytes, addedBytes };
    changeBackupRecord(layout, { last: backup, failure: null });
    const forgotten = await restic.forget(settings["backup.keep"]);
    changeBackupRecord(layout, { oldKept: forgotten.ok ? null : `${place}: ${forgotten.reason}` });
    return { ok: true, backup, isKeyNew, place };
  } finally {
    stage.remove();
  }
}

type Opened = Readonly<{ ok: true; restic: Restic; isKeyNew: boolean }> | Failed;

/** Opens the repository, or creates it, with a new key unless there is one. Starts nothing over an existing backup. */
async function openRepository(layout: Layout, settings: Settings): Promise<Opened> {
  const place = placeOf(layout, settings);
  const hadKey = readKey(layout) !== null;
  const opened = await repositoryOf(layout, settings, hadKey ? undefined : "none yet").open();
  if (opened.ok) return { ok: true, restic: repositoryOf(layout, settings), isKeyNew: false };
  if (opened.code === "wrong_key" && !hadKey)
    return {
      ok: false,
      reason: `${place} holds backups already, but this machine does not have their key: put it into ${layout.backupKey}.`,
    };
  if (opened.code !== "no_repository") return { ok: false, reason: `${place} cannot be used: ${opened.reason}.` };
  if (hasUsedPlace(layout, place) || readBackupRecord(layout).last?.place === place)
    return {
      ok: false,
      reason: `The backups in ${place} are gone, so no new one is started there: is its disk mounted? If they are permanently lost, remove this place from ${layout.backupPlaces}, and delete ${layout.backupRecord}.`,
    };
  const isKeyNew = prepareKey(layout);
  if (isKeyNew) changeBackupRecord(layout, { isKeySeen: false });
  const restic = repositoryOf(layout, settings);
  const created = await restic.create();
  return created.ok
    ? { ok: true, restic, isKeyNew }
    : { ok: false, reason: `${place} cannot be used: ${created.reason}.` };
}

/** Why the disks have too little space for what a stage copies; null if they have enough. */
export function lackingForStage(layout: Layout): string | null {
  const copied = stagedBytes(layout);
  return lackingSpace(layout.data, copied) ?? lackingSpace(layout.mail, copied);
}

/** Why a disk has too little space for a backup; null if it has enough. The spare space is left for mail. */
function lackingSpace(directory: string, bytes: number): string | null {
  // A repository is created with its first backup.
  const there = existsSync(directory) ? directory : dirname(directory);
  if (!existsSync(there)) return null;
  const [needed, left] = [bytes + SPARE_BYTES, freeBytesAt(there)];
  if (left >= needed) return null;
  return `A backup needs ${inMb(needed)} MB on the disk of ${directory}, which has ${inMb(left)} MB left.`;
}
