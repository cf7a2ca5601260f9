import type { Policy } from "../../core/decide/policy.ts";
import type { Prefix } from "../../core/net/ip.ts";

/** How many settings may be changed at once. */
export const MOST_CHANGES = 20;
/** The longest list that may be changed takes less (`recipients.blocked`). */
export const VALUE_CHARACTERS = 16_384;

/**
 * A setting as the web may see it, as text in TOML: `value` in force, `inFile` if the file says another that is not applied
 * yet. `from`: `default`, `profile small`, `file`, or the name of the variable.
 */
export type SettingValue = Readonly<{
  key: string;
  value: string;
  isHidden: boolean;
  inFile: string | null;
  from: string;
  line: number | null;
}>;

/** `until`: ISO 8601. */
export type UndoItem = Readonly<{ until: string; keys: readonly string[]; by: string }>;
/** `digest`: of the settings file, by which an edit that comes between is noticed. It says nothing about its text. */
export type SettingsList = Readonly<{ values: readonly SettingValue[]; digest: string; undo: UndoItem | null }>;

export type SettingProblemItem = Readonly<{ key: string; says: string }>;
/** What becomes of lines of the file. `line`: of the first in the new file. */
export type FileLines = Readonly<{
  key: string;
  line: number | null;
  removed: readonly string[];
  added: readonly string[];
}>;
/** As text in TOML. */
export type ChangedValue = Readonly<{ key: string; was: string; is: string }>;

/** With what recorded events are decided again. */
export type TrialPolicy = Readonly<{ policy: Policy; allowNow: readonly Prefix[]; proxies: readonly Prefix[] }>;

/** With problems, all else is empty. */
export type SettingsPreview = Readonly<{
  problems: readonly SettingProblemItem[];
  lines: readonly FileLines[];
  values: readonly ChangedValue[];
  /** Programs that start again with them. */
  restarts: readonly string[];
  warnings: readonly string[];
  digest: string;
  /** Null: no decision depends on the changes. */
  trial: TrialPolicy | null;
}>;

/** `detail`: what the keeper says that it did. `recorded`: whether the database stored a record of it. */
export type SettingsChanged = Readonly<{
  changed: readonly string[];
  detail: string;
  restarts: readonly string[];
  undoUntil: string | null;
  recorded: boolean;
}>;
