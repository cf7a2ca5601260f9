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

/** Reads and validates the settings. Fails without a mail domain, because a guess could be the provider's domain. */
export function readSettings(layout: Layout, env: Environment): ValidSettings {
  const read = valid(loadSettings(textOf(layout), env), layout);
  const missing = missingDomain(read.settings);
  if (missing !== null) throw new SetUpFailure(missing);
  return read;
}

/**
 * Writes the settings file at the first start; later it belongs to the administrator. The groups must exist. Until a start has succeeded,
 * returns the variables that the file overrides from now on: those whose values it has, and those that a restored file replaces.
 */
export function writeFirstSettings(layout: Layout, { settings, sources }: ValidSettings): readonly string[] {
  if (existsSync(layout.settings)) {
    restoreSettingsAccess(layout);
    if (existsSync(layout.environment)) return [];
  } else {
    // If the host name is derived from the domain, a correction of the domain also corrects the name.
    const hostname = sources.hostname.from === "default" ? "" : settings.hostname;
    writeFile(layout.settings, commentedToml({ ...settings, hostname }), settingsAccess());
  }
  // Only a restore leaves a queue. Existing databases prove nothing: a first start that failed may have made them.
  const isRestored = existsSync(layout.backupQueue);
  const file = loadSettings(textOf(layout), {}, () => []);
  return WRITTEN_FIRST.flatMap((key) => {
    const source = sources[key];
    const decides = isRestored || (file.ok && file.sources[key].toml === source.toml);
    return source.from === "env" && decides ? [source.variable] : [];
  });
}

/** Root and the guard only, because the file contains secrets. The web reads its own extract. */
function settingsAccess(): Required<Access> {
  return { mode: 0o640, owner: { uid: 0, gid: groupId(USERS.guard) } };
}

/**
 * Makes a settings file that was copied or moved into place readable by the guard. Needs root. Doesn't touch one that is right already,
 * because it may be on a read-only mount.
 */
export function restoreSettingsAccess({ settings }: Layout): void {
  const { mode, owner } = settingsAccess();
  const is = lstatSync(settings, { throwIfNoEntry: false });
  if (is === undefined || is.isDirectory()) return;
  if ((is.mode & 0o7777) !== mode || is.uid !== owner.uid || is.gid !== owner.gid) setAccess(settings, { mode, owner });
}

/** Reads the settings after adding edits of `security/security.js` and of the owner's jail files since the last start to the file. */
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

/** Docker creates a directory in place of a mounted file that does not exist. */
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
