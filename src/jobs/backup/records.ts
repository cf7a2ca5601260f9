import * as z from "zod/mini";
import { recordIn } from "../../host/root-files/record-file.ts";
import type { Layout } from "../../settings/layout.ts";

const attempt = z.object({
  at: z.number(),
  tookMs: z.number(),
  snapshot: z.string(),
  /** The repository. */
  place: z.string(),
  mails: z.number(),
  files: z.number(),
  bytes: z.number(),
  addedBytes: z.number(),
});
const backupSchema = z.object({
  /** The last complete backup. */
  last: z.nullable(attempt),
  /** Why a later one failed. */
  failure: z.nullable(z.object({ at: z.number(), reason: z.string() })),
  /** Why older backups could not be removed. */
  oldKept: z.nullable(z.string()),
  /** Since when backups are scheduled. */
  since: z.number(),
  /** Whether the owner has seen the key. */
  isKeySeen: z.boolean(),
});
/** The results of this server's backups, as in `backup/last.json`. */
export type BackupRecord = Readonly<z.output<typeof backupSchema>>;
export type DoneBackup = Readonly<z.output<typeof attempt>>;

const NO_BACKUPS: BackupRecord = { last: null, failure: null, oldKept: null, since: 0, isKeySeen: false };

/** An unreadable record counts as empty: it only caches what the repository contains. */
export const { read: readBackupRecord, change: changeBackupRecord } = recordIn(
  "backupRecord",
  backupSchema,
  NO_BACKUPS,
);

/** Maximum number of places. The oldest is dropped. */
const MOST_PLACES = 100;

/** Not in `backup/`, which may be a separate disk. */
const { read: usedPlaces, edit: editPlaces } = recordIn<readonly string[]>("backupPlaces", z.array(z.string()), []);

/** Whether this server, or the one that it was restored from, has had backups there. */
export function hasUsedPlace(layout: Layout, place: string): boolean {
  return usedPlaces(layout).includes(place);
}

export function noteUsedPlace(layout: Layout, place: string): void {
  if (!hasUsedPlace(layout, place)) editPlaces(layout, (used) => [...used, place].slice(-MOST_PLACES));
}

/** For a restored server, whose former repository stayed on the lost disk. */
export function forgetUsedPlace(layout: Layout, place: string): void {
  if (hasUsedPlace(layout, place)) editPlaces(layout, (used) => used.filter((one) => one !== place));
}

/** Results of a server that was started from a restored directory. */
export const secondServer = z.object({
  startMs: z.number(),
  /** Mails that Dovecot counted. */
  mails: z.number(),
  /** The account that signed in over IMAP; null if the server has none. */
  signedIn: z.nullable(z.string()),
  /** How many aliases Postfix expands as the database says. */
  aliases: z.number(),
  /** Bans of single addresses that were checked and are in its firewall; null if it has none. */
  bans: z.nullable(z.number()),
});

const drill = z.object({
  at: z.number(),
  tookMs: z.number(),
  /** Null if none could be chosen. */
  snapshot: z.nullable(z.string()),
  /** When that snapshot was made. */
  madeAt: z.nullable(z.number()),
  /** Why it failed; null if it succeeded. */
  reason: z.nullable(z.string()),
  /** The findings; null if it ended earlier. */
  found: z.nullable(
    z.object({
      mails: z.number(),
      mailboxes: z.number(),
      queued: z.number(),
      accounts: z.number(),
      aliases: z.number(),
      bans: z.number(),
      tokens: z.number(),
      /** Number of mails that were compared with those of the mailboxes. */
      same: z.number(),
      gone: z.number(),
      different: z.number(),
      /** Null: no second server can start on this machine. */
      server: z.nullable(secondServer),
    }),
  ),
});
const drillsSchema = z.object({
  /** Oldest first. */
  drills: z.array(drill),
  /** When the running one started; null if all have ended. */
  begun: z.nullable(z.number()),
});
export type Drill = Readonly<z.output<typeof drill>>;
export type DrillFindings = NonNullable<Drill["found"]>;
export type DrillRecord = Readonly<z.output<typeof drillsSchema>>;

const NO_DRILLS: DrillRecord = { drills: [], begun: null };
/** Two years at one a month. */
const KEPT = 24;

/** The results of restore drills, as in `backup/drills.json`. A record that this user cannot read counts as empty. */
export const {
  read: readDrills,
  edit: editDrills,
  change: changeDrills,
} = recordIn("backupDrills", drillsSchema, NO_DRILLS);

export function endDrill(layout: Layout, done: Drill): void {
  editDrills(layout, (record) => withDrill(record, done));
}

export function withDrill({ drills }: DrillRecord, done: Drill): DrillRecord {
  return { drills: [...drills, done].slice(-KEPT), begun: null };
}

/** A drill without findings. */
export function failedDrill({ at, reason }: Readonly<{ at: number; reason: string }>): Drill {
  return { at, tookMs: 0, snapshot: null, madeAt: null, reason, found: null };
}

export function lastDrill({ drills }: DrillRecord): Drill | null {
  return drills.at(-1) ?? null;
}
