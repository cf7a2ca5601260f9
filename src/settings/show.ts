import type { Source, Sources } from "./load.ts";
import { type SettingKey, settingKeys, settingOf } from "./schema.ts";

/** One line of `config show`. */
export type ShownSetting = Readonly<{
  key: SettingKey;
  /** As written in `ghostinbox.toml`; `(secret)` if it must not be seen. */
  value: string;
  /** `default`, `file`, or the name of the environment variable. */
  from: string;
}>;

/** An unset secret is not secret. */
const UNSET: readonly string[] = ['""', "[]"];

/** Every setting in force, and where it comes from. */
export function showSettings(sources: Sources, isSecret = hidden): readonly ShownSetting[] {
  return settingKeys().map((key) => {
    const source = sources[key];
    return {
      key,
      value: isSecret(key) && !UNSET.includes(source.toml) ? "(secret)" : source.toml,
      from: originOf(source),
    };
  });
}

/** For people: one setting on each line, followed by its source. */
export function printSettings(shown: readonly ShownSetting[]): string {
  return shown.map(({ key, value, from }) => `${key} = ${value}  # ${from}\n`).join("");
}

function hidden(key: SettingKey): boolean {
  return settingOf(key).secret === true;
}

function originOf(source: Source): string {
  return source.from === "env" ? source.variable : source.from;
}
