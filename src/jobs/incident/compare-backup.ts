import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../core/error.ts";
import { type Contents, type Difference, differences } from "../../core/incident/incident.ts";
import type { Failed } from "../../guard/ports.ts";
import { ourselves } from "../../host/root-files/directory.ts";
import { makePrivateDirectory } from "../../host/root-files/trees.ts";
import { removeTree } from "../../host/root-files/walk.ts";
import { type Layout, layoutOf } from "../../settings/layout.ts";
import { type Environment, loadSettings } from "../../settings/load.ts";
import type { Settings } from "../../settings/schema.ts";
import { showSettings } from "../../settings/show.ts";
import { readAccountContents, readCopiedAccounts } from "../../store/accounts-db/copied-accounts.ts";
import { repositoryOf } from "../backup/repository.ts";
import { giveAll } from "../backup/restore.ts";

export type BackupComparison =
  | Readonly<{ ok: true; snapshot: string; at: number; differences: readonly Difference[] }>
  | Failed;

/** Compares settings, aliases and accounts with the last backup before `before`. Changes nothing. */
export async function compareWithBackup(
  layout: Layout,
  { settings, env }: Readonly<{ settings: Settings; env: Environment }>,
  before: number,
): Promise<BackupComparison> {
  if (!existsSync(layout.backupKey)) return { ok: false, reason: "there is no backup" };
  const scratch = join(layout.incidents, "comparing");
  try {
    // A killed comparison leaves it behind, with password hashes.
    removeTree(scratch);
    const restic = repositoryOf(layout, settings);
    const listed = await restic.snapshots();
    if (!listed.ok) return { ok: false, reason: `the backups cannot be read: ${listed.reason}` };
    const last = listed.value.findLast(({ at }) => at < before);
    if (last === undefined) return { ok: false, reason: "there is no backup from before the incident" };
    makePrivateDirectory(layout.incidents);
    makePrivateDirectory(scratch);
    const paths = [layout.accountsDb, layout.settings].map((path) => path.slice(layout.data.length));
    const restored = await restic.restore(last.id, { to: scratch, paths, watch: () => undefined });
    if (!restored.ok) return { ok: false, reason: `the backup cannot be read: ${restored.reason}` };
    giveAll(scratch, ourselves());
    const then = contentsOf(layoutOf(scratch), env, readCopiedAccounts);
    const now = contentsOf(layout, env, readAccountContents);
    return { ok: true, snapshot: last.id.slice(0, 8), at: last.at, differences: differences(then, now) };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  } finally {
    removeTree(scratch);
  }
}

/** Throws if a part cannot be read. */
function contentsOf(
  { accountsDb, settings: file }: Layout,
  env: Environment,
  read: typeof readAccountContents,
): Contents {
  const loaded = loadSettings(readFileSync(file, "utf8"), env);
  if (!loaded.ok) throw new Error(`${basename(file)} in ${dirname(file)} is not valid`);
  const shown = showSettings(loaded.sources);
  const settings = showSettings(loaded.sources, () => false).map(
    ({ key, value }, i) => [`setting ${key}`, { value, shown: shown[i]?.value ?? "" }] as const,
  );
  return new Map([...read(accountsDb), ...settings]);
}
