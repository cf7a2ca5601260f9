import { SettingsUnreadable, settingsText } from "../../adapters/machine/settings-text.ts";
import { messageOf } from "../../core/error.ts";
import type { SettingsText } from "../../engine/commands/access/settings.ts";
import type { Layout } from "../../settings/layout.ts";
import { loadSettings, type Sources } from "../../settings/load.ts";
import { type SettingKey, type Settings, settingKeys } from "../../settings/schema.ts";

export type ValidSettings = Readonly<{ ok: true; settings: Settings; sources: Sources }>;
export type SettingsRead = ValidSettings | Readonly<{ ok: false; reason: string }>;

/** The settings file as text, with the variables that this program was started with. */
export function readSettingsText(layout: Layout): SettingsText {
  try {
    const text = settingsText(layout.settings);
    if (text !== null) return { ok: true, text, env: process.env };
    return { ok: false, reason: `${layout.settings} is not there.` };
  } catch (error) {
    if (error instanceof SettingsUnreadable) return { ok: false, reason: `${error.message}.` };
    return { ok: false, reason: `${layout.settings} cannot be read: ${messageOf(error)}.` };
  }
}

/** The settings as the running programs see them: the file and the environment they were started with. */
export function readSettings(layout: Layout): SettingsRead {
  const read = readSettingsText(layout);
  if (!read.ok) return read;
  const loaded = loadSettings(read.text, read.env);
  if (loaded.ok) return loaded;
  return { ok: false, reason: loaded.problems.map(({ says }) => says).join(" ") };
}

/** The keys whose values differ. */
export function changedKeys(before: Settings, after: Settings): readonly SettingKey[] {
  return settingKeys().filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
}
