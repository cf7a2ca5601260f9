import { isUtf8 } from "node:buffer";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readOr } from "../../core/error.ts";
import { inMb } from "../../core/text.ts";
import type { Failed } from "../../guard/ports.ts";
import type { Layout } from "../../settings/layout.ts";
import { type Environment, loadSettings, settingsOrReason, type ValidSettings } from "../../settings/load.ts";
import { variableOf } from "../../settings/schema.ts";
import { NOT_UTF8, readPlain, writeFile } from "../root-files/files.ts";
import { whileLocked } from "../root-files/lock-file.ts";

/** Bytes: about 30 times the file that set-up writes, which explains every setting. */
const MOST_BYTES = 1_000_000;

/**
 * The text of the settings file; null if it is missing. Throws `SettingsUnreadable` if it is not a regular file or is too large,
 * because a named pipe would block its reader forever, and a huge file would fill its memory.
 */
export function settingsText(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (found.isDirectory()) throw new SettingsUnreadable(`${path} is a directory, not a file: remove it`);
  if (!found.isFile()) throw new SettingsUnreadable(`${path} is not a regular file: remove it`);
  if (found.size > MOST_BYTES)
    throw new SettingsUnreadable(`${path} is larger than ${inMb(MOST_BYTES)} MB: shorten it`);
  const bytes = readFileSync(path);
  // TOML requires UTF-8 (toml.io/en/v1.0.0). Other bytes would be lost when the file is written again.
  if (!isUtf8(bytes)) throw new SettingsUnreadable(`${path} ${NOT_UTF8}`);
  return bytes.toString();
}

/** Replaces the text atomically and keeps owner and mode. Returns false and changes nothing if the text is no longer `before`. */
export function rewriteSettings(path: string, before: string, after: string): boolean {
  return whileLocked(path, () => {
    const now = readPlain(path, MOST_BYTES);
    if (now?.text !== before) return false;
    writeFile(path, after, { mode: now.mode, owner: now.owner });
    return true;
  });
}

/** The message is a sentence without the full stop, and says what to do. */
export class SettingsUnreadable extends Error {
  override readonly name = "SettingsUnreadable";
}

export type SettingsRead = ValidSettings & Readonly<{ text: string }>;

/** Loads the settings from that file and these variables. */
export function settingsIn(path: string, env: Environment): SettingsRead | Failed {
  try {
    const text = settingsText(path);
    const loaded = settingsOrReason(text, env);
    return loaded.ok ? { ...loaded, text: text ?? "" } : loaded;
  } catch (error) {
    if (!(error instanceof SettingsUnreadable)) throw error;
    return { ok: false, reason: `${error.message}.` };
  }
}

/** Loads the settings in force, with these variables. Null if they are not recorded, or this program cannot use the record. */
export function settingsInForce({ settingsInForce }: Layout, env: Environment): SettingsRead | null {
  const text = readOr(() => settingsText(settingsInForce), null);
  const loaded = text === null ? null : settingsOrReason(text, env);
  return text !== null && loaded?.ok === true ? { ...loaded, text } : null;
}

/**
 * Says why a file (or its `edited` text) without any setting is refused. Null if it has settings, if the record of those in force has
 * none, or if the server was started with the domain in a variable, so that it may need no file.
 */
export function whyEmptied({ settings, settingsInForce, environment }: Layout, edited?: string): string | null {
  if (Object.hasOwn(readServiceEnvironment(environment), variableOf("domains"))) return null;
  if (hasSettings(settings, edited) !== false || hasSettings(settingsInForce) !== true) return null;
  return `${settings} must have at least one setting, because the server last ran with some: ${settingsInForce} has a copy of them. To run without them, empty ${settingsInForce}.`;
}

/** Null if the file cannot be read. A missing file has no settings; an invalid one counts as having some. */
function hasSettings(path: string, edited?: string): boolean | null {
  const text = edited ?? readOr(() => settingsText(path) ?? "", null);
  const loaded = text === null ? null : loadSettings(text, {});
  return loaded && (!loaded.ok || Object.values(loaded.sources).some(({ from }) => from === "file"));
}

/**
 * The variables with which the server was started, from the directory that chpst(8) -e reads: a NUL stands for a line
 * break. Empty if the server was never started, or if this user may not read the directory.
 */
export function readServiceEnvironment(directory: string): Readonly<Record<string, string>> {
  const read = (name: string): string => readFileSync(join(directory, name), "utf8").replaceAll("\0", "\n");
  return readOr(() => Object.fromEntries(readdirSync(directory).map((name) => [name, read(name)])), {});
}
