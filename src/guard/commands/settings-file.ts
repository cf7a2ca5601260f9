import type { CommandError, Reply } from "../../admin/declare/control.ts";
import type { ChangedValue } from "../../admin/settings.ts";
import type { FileChanged } from "../../settings/change-file.ts";
import { isSettingKey, type SettingKey, settingKeys, variableOf } from "../../settings/schema.ts";
import type { SettingProblem } from "../../settings/setting.ts";
import type { Pending } from "../../settings/show.ts";
import { isHiddenFromWeb } from "../../settings/web-changes.ts";
import type { Engine } from "../engine.ts";
import type { Failed } from "../ports.ts";
import { failed } from "./refusals.ts";

export type ReloadCommandParts = Readonly<{
  /** Reloads the settings and returns the names of changed ones. */
  reload: () => Readonly<{ ok: true; changed: readonly string[] }> | Failed;
  /** Returns what a reload would change, what the next start of the server would change, and the current values as text. */
  pending: () => Readonly<{ ok: true } & Pending> | Failed;
  engine: Pick<Engine, "audit">;
}>;

export function pending({ pending: readSettings }: Pick<ReloadCommandParts, "pending">): Reply<"pending"> {
  const outcome = readSettings();
  if (!outcome.ok) return unreadable(outcome.reason);
  const { changed, inForce, waiting } = outcome;
  return { ok: true, result: { changed, inForce, waiting } };
}

export async function reload(
  { reload: readSettings, engine }: Pick<ReloadCommandParts, "reload" | "engine">,
  by: string,
): Promise<Reply<"reload">> {
  const outcome = readSettings();
  if (!outcome.ok) return unreadable(outcome.reason);
  const subject = outcome.changed.join(", ") || "nothing changed";
  const recorded = await engine.audit({ type: "SETTINGS_APPLIED", subject, by });
  // The settings are in force either way, and the caller must know which: it restarts programs with them.
  return { ok: true, result: { changed: outcome.changed, recorded } };
}

/** Tells the web only where the mistakes are, because the text may belong to settings that the guard hides from it. */
export function wrongFile(problems: readonly SettingProblem[]): CommandError {
  const places = problems.map(({ where, line }) => {
    const named = isSettingKey(where) || settingKeys().some((key) => variableOf(key) === where) ? where : null;
    if (line === null) return named ?? "the file as a whole";
    return named === null ? `line ${line}` : `line ${line} (${named})`;
  });
  const message = `The settings file has mistakes: ${places.join(", ") || "the file as a whole"}.`;
  return { ...unreadable(message), next: "`config check` on the server shows what is wrong." };
}

export function unreadable(message: string): CommandError {
  return failed(message, "`config check` lists every problem.");
}

/** Maximum recorded characters of a value. */
const RECORDED_CHARACTERS = 80;

/** The values that differ, except those that the web may not see. */
export function valuesOf({ before, after }: Extract<FileChanged, { ok: true }>): readonly ChangedValue[] {
  const isOther = (key: SettingKey): boolean => before.sources[key].toml !== after.sources[key].toml;
  return settingKeys()
    .filter((key) => isOther(key) && !isHiddenFromWeb(key))
    .map((key) => ({ key, was: before.sources[key].toml, is: after.sources[key].toml }));
}

/** The changes that would undo these. */
export function undone(values: readonly ChangedValue[]): readonly ChangedValue[] {
  return values.map(({ key, was, is }) => ({ key, was: is, is: was }));
}

/** Describes changes for the audit; only by their keys if no value changes, as when a line repeats the current value. */
export function recordOf(values: readonly ChangedValue[], keys: readonly string[]): string {
  const changes = values.map(({ key, was, is }) => `${key} = ${shortened(is)}, was ${shortened(was)}`);
  return changes.length === 0 ? keys.join(", ") : changes.join("; ");
}

function shortened(toml: string): string {
  return toml.length <= RECORDED_CHARACTERS ? toml : `${toml.slice(0, RECORDED_CHARACTERS)}…`;
}
