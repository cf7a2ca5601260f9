import { existsSync, lstatSync } from "node:fs";
import { SettingsUnreadable, settingsText } from "../../host/machine/settings-text.ts";
import { groupId } from "../../host/machine/system-users.ts";
import { setAccess, writeFile } from "../../host/root-files/files.ts";
import type { Access } from "../../host/root-files/replace.ts";
import { CHECKOUT } from "../../host/running/checkout.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import { WRITTEN_FIRST } from "../../settings/first-variables.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import { type Environment, type Loaded, loadSettings, missingDomain, type ValidSettings } from "../../settings/load.ts";
import { commentedToml } from "../../settings/reference.ts";
import { adoptDestemail, adoptScript } from "./adopt-edits.ts";

/** Reads and validates the settings. Without a mail domain it fails: a guess would be a domain of the provider. */
export function readSettings(layout: Layout, env: Environment): ValidSettings {
  const read = valid(loadSettings(textOf(layout), env), layout);
  const missing = missingDomain(read.settings);
  if (missing !== null) throw new SetUpFailure(missing);
  return read;
}

/**
 * At the first start; later the file belongs to the administrator. The groups exist already. Until a start has succeeded, returns the
 * variables whose values the file has, and those that a restored file replaces: from now on the file decides.
 */
export function writeFirstSettings(layout: Layout, { settings, sources }: ValidSettings): readonly string[] {
  if (existsSync(layout.settings)) {
    restoreSettingsAccess(layout);
    if (existsSync(layout.environment)) return [];
  } else {
    // A name that follows from the domain also follows its correction.
    const hostname = sources.hostname.from === "default" ? "" : settings.hostname;
    writeFile(layout.settings, commentedToml({ ...settings, hostname }), settingsAccess());
  }
  // A first start that failed may have made the databases; only a restore leaves a queue.
  const isRestored = existsSync(layout.backupQueue);
  const file = loadSettings(textOf(layout), {}, () => []);
  return WRITTEN_FIRST.flatMap((key) => {
    const source = sources[key];
    const decides = isRestored || (file.ok && file.sources[key].toml === source.toml);
    return source.from === "env" && decides ? [source.variable] : [];
  });
}

/** Not the web, which reads its own extract: the settings file contains secrets. */
function settingsAccess(): Required<Access> {
  return { mode: 0o640, owner: { uid: 0, gid: groupId(USERS.guard) } };
}

/**
 * For root. A file that was copied or moved into place may be readable only for root, and not for the guard. One on a read-only mount
 * may be right already, and cannot be changed.
 */
export function restoreSettingsAccess({ settings }: Layout): void {
  const { mode, owner } = settingsAccess();
  const is = lstatSync(settings, { throwIfNoEntry: false });
  if (is === undefined || is.isDirectory()) return;
  if ((is.mode & 0o7777) !== mode || is.uid !== owner.uid || is.gid !== owner.gid) setAccess(settings, { mode, owner });
}

/** Includes edits of `security/security.js` and of the owner's jail files since the last start, which are now in the file. */
export function settingsWithEdits(
  layout: Layout,
  env: Environment,
  say: (line: string) => void,
): ValidSettings & Readonly<{ text: string }> {
  const adopted = adoptScript(CHECKOUT, layout, env);
  const says = adopted.ok ? [...adopted.says, ...adoptDestemail(CHECKOUT, layout, env)] : [];
  for (const line of says) say(line);
  const text = textOf(layout) ?? "";
  return { ...valid(adopted.ok ? loadSettings(text, env) : adopted, layout), text };
}

/** Records the settings in force. A program that restarts uses them, whatever was edited since. */
export function recordInForce({ settingsInForce }: Layout, text: string): void {
  writeFile(settingsInForce, text, settingsAccess());
}

/** Docker creates a directory for a mounted file that does not exist. */
function textOf({ settings }: Layout): string | null {
  try {
    return settingsText(settings);
  } catch (error) {
    if (!(error instanceof SettingsUnreadable)) throw error;
    throw new SetUpFailure(`${error.message}, and start again.`);
  }
}

function valid(loaded: Loaded, layout: Layout): ValidSettings {
  if (loaded.ok) return loaded;
  const lines = loaded.problems.map(({ says }) => says);
  throw new SetUpFailure(
    lines.length === 1 ? `${lines[0]}` : `${layout.settings} and the environment:\n  ${lines.join("\n  ")}`,
  );
}
