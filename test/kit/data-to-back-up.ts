import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createBackup } from "../../src/jobs/backup/create.ts";
import type { DoneBackup, Drill } from "../../src/jobs/backup/records.ts";
import { repositoryOf } from "../../src/jobs/backup/repository.ts";
import { restoreServer } from "../../src/jobs/backup/restore.ts";
import { type Layout, layoutOf } from "../../src/settings/layout.ts";
import type { Settings } from "../../src/settings/schema.ts";
import { openAccounts, openEngine } from "../../src/store/open.ts";
import { loadValid } from "./loaded-settings.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const SETTINGS = 'domains = ["example.test"]\n';

/** A data directory, `data` in `top`, with the minimum for a backup: settings, and both databases without rows. */
export function dataToBackUp() {
  const top = temporaryDirectory();
  // Lets services that run as other users reach their own files.
  chmodSync(top, 0o755);
  const layout = layoutOf(join(top, "data"));
  for (const path of [layout.engineDb, layout.accountsDb]) mkdirSync(dirname(path), { recursive: true });
  openEngine(layout.engineDb).close();
  openAccounts(layout.accountsDb).close();
  writeFileSync(layout.settings, SETTINGS);
  const maildir = (local: string): string => join(layout.mail, "example.test", local, "Maildir");
  const { settings } = loadValid(SETTINGS);
  const backUp = (changes: Partial<Settings> = {}) =>
    createBackup(layout, { ...settings, ...changes }, { tag: "by-hand", watch });
  /** Restores its latest backup. */
  const restoreTo = (target: Layout, how: Readonly<{ key?: string; replaces?: boolean }> = {}) =>
    restoreServer(target, (to) => repositoryOf(layout, settings).restore("latest", { to, watch }), {
      key: how.key ?? null,
      replaces: how.replaces ?? false,
    });
  return { top, layout, settings, maildir, backUp, restoreTo };
}

const watch = (): void => undefined;

/** The record of a backup. */
export function doneBackup(at: number): DoneBackup {
  return { at, tookMs: 1, snapshot: "0123abcd", place: "/backups", mails: 1, files: 1, bytes: 1, addedBytes: 1 };
}

/** The record of a restore drill that ended early. */
export function doneDrill(at: number, reason: string | null = null): Drill {
  return { at, tookMs: 1, snapshot: "0123abcd", madeAt: at, reason, found: null };
}
