import { readFileSync, statSync } from "node:fs";
import { type Environment, type Loaded, loadSettings } from "../../settings/load.ts";

/** Bytes: the shipped file, with every setting explained, has a twentieth of them. */
const MOST_BYTES = 1_000_000;

/**
 * The text of the settings file; null if it is missing. Throws `SettingsUnreadable` for anything else: a named pipe would
 * hold its reader for good, and a huge file would take the memory of one.
 */
export function settingsText(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (found.isDirectory()) throw new SettingsUnreadable(`${path} is a directory, not a file`);
  if (!found.isFile()) throw new SettingsUnreadable(`${path} is not a regular file`);
  if (found.size > MOST_BYTES) throw new SettingsUnreadable(`${path} is larger than 1 MB`);
  return readFileSync(path, "utf8");
}

/** Its message is a sentence without an end, to which the reader adds what to do. */
export class SettingsUnreadable extends Error {
  override readonly name = "SettingsUnreadable";
}

/** The settings of that file and these variables. */
export function settingsIn(path: string, env: Environment): Loaded {
  try {
    return loadSettings(settingsText(path), env);
  } catch (error) {
    if (!(error instanceof SettingsUnreadable)) throw error;
    return { ok: false, problems: [{ where: "", line: null, says: `${error.message}.` }] };
  }
}
