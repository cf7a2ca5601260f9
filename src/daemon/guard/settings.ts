import { readFileSync } from "node:fs";
import { messageOf } from "../../core/error.ts";
import type { Layout } from "../../settings/layout.ts";
import { loadSettings } from "../../settings/load.ts";
import { type Settings, settingKeys } from "../../settings/schema.ts";

export type SettingsRead = Readonly<{ ok: true; settings: Settings }> | Readonly<{ ok: false; reason: string }>;

/** The settings as the running programs see them: the file and the environment they were started with. */
export function readSettings(layout: Layout): SettingsRead {
  let text: string;
  try {
    text = readFileSync(layout.settings, "utf8");
  } catch (error) {
    return {
      ok: false,
      reason: `${layout.settings} cannot be read: ${messageOf(error)}.`,
    };
  }
  const loaded = loadSettings(text, process.env);
  if (loaded.ok) return { ok: true, settings: loaded.settings };
  return { ok: false, reason: loaded.problems.map(({ says }) => says).join(" ") };
}

/** The keys whose values differ. */
export function changedKeys(before: Settings, after: Settings): readonly string[] {
  return settingKeys().filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
}
