import type { Source, Sources } from "./load.ts";
import { type SettingKey, settingKeys, settingOf } from "./schema.ts";

/** One line of `config show`. */
type ShownSetting = Readonly<{
  key: SettingKey;
  /** As written in `ghostinbox.toml`; `(secret)` if it must not be seen. */
  value: string;
  /** `default`, `profile small`, `file`, or the name of the environment variable. */
  from: string;
  /** The line in the file, also of a value that a variable overrides; null if it is in no line. */
  line: number | null;
}>;

type IsSecret = (key: SettingKey, toml: string) => boolean;

/** An unset secret is not secret. */
const UNSET: readonly string[] = ['""', "[]"];

export function showSettings(sources: Sources, isSecret: IsSecret = hidden): readonly ShownSetting[] {
  return settingKeys().map((key) => {
    const source = sources[key];
    return { key, value: printedValue(key, source.toml, isSecret), ...originOf(source) };
  });
}

/** The value of one setting, as text in TOML. */
export function shownValue(key: SettingKey, sources: Sources): string {
  return printedValue(key, sources[key].toml, hidden);
}

/**
 * Edits that are not applied yet. `inForce`: the value of each, as text in TOML, in the order of `changed`. `waiting`: the values in force
 * of settings that change only at the next start of the server, applied or not.
 */
export type Pending = Readonly<{
  changed: readonly string[];
  inForce: readonly string[];
  waiting: Readonly<Record<string, string>>;
}>;
export const NOTHING_PENDING: Pending = { changed: [], inForce: [], waiting: {} };

/** The values in force where the file has others. */
export function stillInForce({ changed, inForce, waiting }: Pending): ReadonlyMap<string, string> {
  return new Map([...changed.map((key, i) => [key, inForce[i] ?? ""] as const), ...Object.entries(waiting)]);
}

/** For people: one setting on each line, followed by its origin. */
export function printSettings(shown: readonly ShownSetting[], pending = NOTHING_PENDING): string {
  const inForce = stillInForce(pending);
  return shown
    .map((one) => {
      const still = inForce.get(one.key);
      const why = pending.changed.includes(one.key) ? "not applied yet" : "at the next start";
      return still === undefined
        ? `${one.key} = ${one.value}  # ${printOrigin(one)}\n`
        : `${one.key} = ${still}  # ${why}: ${one.value}, ${printOrigin(one)}\n`;
    })
    .join("");
}

/** A variable that overrides what the file says. */
type Override = Readonly<{ key: SettingKey; variable: string; line: number; says: string }>;

/** Each sentence names both values, because later edits of that line change nothing. */
export function overridesOf(sources: Sources): readonly Override[] {
  return settingKeys().flatMap((key) => {
    const source = sources[key];
    if (source.from !== "env" || source.overrides === null) return [];
    const { variable, overrides } = source;
    const says = `${variable} overrides line ${overrides.line} of ghostinbox.toml: ${key} is ${printedValue(key, source.toml, hidden)}, not ${printedValue(key, overrides.toml, hidden)}.`;
    return [{ key, variable, line: overrides.line, says }];
  });
}

function printedValue(key: SettingKey, toml: string, isSecret: IsSecret): string {
  return isSecret(key, toml) && !UNSET.includes(toml) ? "(secret)" : toml;
}

function hidden(key: SettingKey, toml: string): boolean {
  const { secret, showsPaths } = settingOf(key);
  return secret === true && !(showsPaths === true && toml.startsWith('"/'));
}

function originOf(source: Source): Pick<ShownSetting, "from" | "line"> {
  switch (source.from) {
    case "default":
      return { from: "default", line: null };
    case "profile":
      return { from: `profile ${source.profile}`, line: null };
    case "file":
      return { from: "file", line: source.line };
    case "env":
      return { from: source.variable, line: source.overrides?.line ?? null };
  }
}

function printOrigin({ from, line }: ShownSetting): string {
  if (line === null) return from;
  return from === "file" ? `ghostinbox.toml:${line}` : `${from}, over ghostinbox.toml:${line}`;
}
