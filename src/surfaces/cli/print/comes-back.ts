import { existsSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { readOr } from "../../../core/error.ts";
import { plural } from "../../../core/text.ts";
import { type Layout, layoutOf } from "../../../settings/layout.ts";
import { loadSettings } from "../../../settings/load.ts";
import { settingKeys } from "../../../settings/schema.ts";
import { SETTING_TABLES } from "../../../store/accounts-db/setting-tables.ts";
import {
  CHANGING,
  type ChangedSince,
  type Changes,
  changesBetween,
  type SettingChanges,
} from "../../../store/changed-since.ts";
import { PROGRAM } from "../call.ts";
import { firstFew, oneLine } from "./text.ts";

/** What an older copy of the databases lacks, brings back or undoes, such as a revoked token or an old password. */
export function changesText(changes: ChangedSince): readonly string[] {
  const kinds = [
    ...CHANGING.map(([kind, says]) => [says, changes[kind]] as const),
    ...SETTING_TABLES.map(({ key, says }) => [says, changes[key]] as const),
  ];
  const differing = kinds.flatMap(([says, changed]) => {
    const parts = describe(changed);
    return parts.length === 0 ? [] : [`  ${says}: ${parts.join("; ")}`];
  });
  const { newKeys } = changes;
  return [
    `Since then: ${plural(changes.events, "event")}, which will be missing.`,
    ...differing,
    newKeys.length > 0 &&
      `Mail of ${firstFew(newKeys.map(oneLine))} that was encrypted with a key made since then can no longer be read: neither a password nor the recovery key opens it without that key, which only the accounts.db that is set aside has.`,
  ].filter((line) => line !== false);
}

/** How the settings file differs from that of the copy; empty if it does not. */
export function changedSettings(now: string, copy: string): readonly string[] {
  if (now === copy) return [];
  const [is, was] = [loadSettings(now, {}), loadSettings(copy, {})];
  const keys =
    is.ok && was.ok ? settingKeys().filter((key) => !isDeepStrictEqual(is.settings[key], was.settings[key])) : [];
  return [`  ghostinbox.toml was changed${keys.length === 0 ? "" : `: ${firstFew(keys)}`}`];
}

function describe(changes: Changes): readonly string[] {
  return (["added", "removed", "changed"] as const).flatMap((how) => {
    const names = changes[how];
    return names.length === 0 ? [] : [`${names.length} ${how} (${firstFew(names.map(oneLine))})`];
  });
}

/** Settings of a thief that come back although the owner removed them, and restrictions that will be missing, each with a command. */
export function comesBack(changes: SettingChanges): readonly string[] {
  return SETTING_TABLES.flatMap((one) => {
    const { added, removed, changed } = changes[one.key];
    const missing = "redo" in one ? lineOf("Will be missing", added, one.redo) : [];
    return [...lineOf("Comes back", [...removed, ...changed], one.undo), ...missing];
  });
}

function lineOf(what: string, names: readonly string[], command: string): readonly string[] {
  return names.length === 0 ? [] : [`  ${what}: ${names.map(oneLine).join(", ")}. To undo: \`${PROGRAM} ${command}\``];
}

/** The same after a restore. `aside`: the previous data directory; null if there is none to compare with. */
export function comesBackFrom(restored: Layout, aside: string | null): readonly string[] {
  if (aside === null) return [UNKNOWN];
  // The previous database may be damaged, which may be the reason for the restore.
  return readOr(() => {
    const former = layoutOf(aside);
    const changes = changesBetween(former, restored);
    const [now, copy] = [former, restored].map(({ settings }) => readIfThere(settings));
    const changed = now === undefined || copy === undefined ? [] : changedSettings(now, copy);
    return [...changesText(changes), ...changed, ...comesBack(changes)];
  }, [UNKNOWN]);
}

export function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

const UNKNOWN = `Whatever was revoked, removed or changed after the backup is back, old passwords and tokens too: once the server runs, \`${PROGRAM} access review\` lists who may do what, and \`${PROGRAM} why --account ADDRESS\` what is set for a mailbox.`;
