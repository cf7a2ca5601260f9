import { type Kind, wholeNumber } from "./kinds.ts";

/** One setting: what it accepts, its default as one would write it, and what it does. */
export type Setting<T> = Readonly<{
  kind: Kind<T>;
  byDefault: unknown;
  /** One sentence. */
  says: string;
  /** Where the rule or the default comes from. */
  source?: string;
  /** The environment variable, where it is not the one that follows from the key. */
  variable?: string;
  /** Never printed. */
  secret?: boolean;
}>;

/** One thing wrong with the settings, told in one sentence that names the key or variable. */
export type SettingProblem = Readonly<{
  /** The key or the variable; empty when the file as a whole cannot be read. */
  where: string;
  /** Line of the file, where the TOML parser tells it. */
  line: number | null;
  says: string;
}>;

export const count = wholeNumber(1, 1_000_000);
export const KB = 1024;
export const MB = 1024 * KB;
export const GB = 1024 * MB;
