import { path } from "./kinds/texts.ts";
import { type SettingKey, type Settings, settingKeys, settingOf } from "./schema.ts";

/** The key that reads encrypted mail: whoever has a backup alone must not have it. */
const KEPT_OUT: readonly SettingKey[] = ["mailboxes.encryption_key"];

/** Settings that name a file, such as a certificate or a password. */
export function fileSettings(): readonly SettingKey[] {
  return settingKeys().filter((key) => settingOf(key).kind.accepts.startsWith(path.accepts));
}

/** The files that these settings name, each once, except those that no backup may hold. Absolute paths. */
export function namedFiles(settings: Settings): readonly string[] {
  const named = fileSettings()
    .filter((key) => !KEPT_OUT.includes(key))
    .map((key) => settings[key]);
  return [...new Set(named.filter((file) => typeof file === "string" && file !== ""))].map(String);
}
