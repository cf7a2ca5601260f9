import * as z from "zod/mini";
import { readRecord, writeRecord } from "../../adapters/root-files/record-file.ts";
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
const schema = z.object({
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
export type BackupRecord = Readonly<z.output<typeof schema>>;
export type DoneBackup = Readonly<z.output<typeof attempt>>;

const NOTHING: BackupRecord = { last: null, failure: null, oldKept: null, since: 0, isKeySeen: false };

/** An unreadable record counts as empty: it only caches what the repository contains. */
export function readBackupRecord({ backupRecord }: Layout): BackupRecord {
  return readRecord(backupRecord, schema, NOTHING);
}

export function changeBackupRecord(layout: Layout, change: Partial<BackupRecord>): void {
  writeRecord(layout.backupRecord, { ...readBackupRecord(layout), ...change });
}
