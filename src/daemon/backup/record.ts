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
  /** The last backup that came to its end. */
  last: z.nullable(attempt),
  /** What kept the one after it from that. */
  failure: z.nullable(z.object({ at: z.number(), reason: z.string() })),
  /** Why older backups could not be removed. */
  oldKept: z.nullable(z.string()),
  /** Since when backups are due. */
  since: z.number(),
  /** Whether the owner has seen the key. */
  isKeySeen: z.boolean(),
});
/** What the backups of this server came to, as `backup/last.json` keeps it. */
export type BackupRecord = Readonly<z.output<typeof schema>>;
export type DoneBackup = Readonly<z.output<typeof attempt>>;

const NOTHING: BackupRecord = { last: null, failure: null, oldKept: null, since: 0, isKeySeen: false };

/** A record that cannot be read counts as none: it is only a memory of what the repository holds. */
export function readBackupRecord({ backupRecord }: Layout): BackupRecord {
  return readRecord(backupRecord, schema, NOTHING);
}

export function changeBackupRecord(layout: Layout, change: Partial<BackupRecord>): void {
  writeRecord(layout.backupRecord, { ...readBackupRecord(layout), ...change });
}
