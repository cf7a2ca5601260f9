import { type Kind, listOf, orEmpty, wholeNumber } from "./kinds/kind.ts";

/** One setting: what it accepts, its default as written in the file, and what it does. */
export type Setting<T> = Readonly<{
  kind: Kind<T>;
  byDefault: unknown;
  /** One sentence. */
  says: string;
  /** Where the rule or the default comes from. */
  source?: string;
  /** The environment variable, if it does not follow from the key. */
  variable?: string;
  /** Never printed. */
  secret?: boolean;
  /** For a secret: a path is printed, because only a URL can contain a password. */
  showsPaths?: boolean;
}>;

/** One thing wrong with the settings, in one sentence that names the key or variable. */
export type SettingProblem = Readonly<{
  /** The key or the variable; empty if the file as a whole cannot be read. */
  where: string;
  /** The line in the file, if the TOML parser reports it. */
  line: number | null;
  says: string;
}>;

/** The same about valid settings that do not fit together. */
export type Conflict = Omit<SettingProblem, "line">;

type More = Omit<Setting<unknown>, "kind" | "byDefault" | "says">;

/** `value`: as written in the file. `says` makes it a setting. */
export function byDefault<const Value, T>(value: Value, kind: Kind<T>) {
  return { says: (says: string, more: More = {}) => ({ kind, byDefault: value, says, ...more }) as const };
}

/** Empty unless it is set. */
export function optional(kind: Kind<string>) {
  return byDefault("", orEmpty(kind));
}

/** A list of at most `most`, empty unless it is set. */
export function optionalList<T>(item: Kind<T>, most: number) {
  return byDefault([], listOf(item, most));
}

export const count = wholeNumber(1, 1_000_000);
export const KB = 1024;
export const MB = 1024 * KB;
export const GB = 1024 * MB;
