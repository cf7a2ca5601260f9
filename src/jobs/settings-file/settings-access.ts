import { statSync } from "node:fs";
import { groupId } from "../../host/machine/system-users.ts";
import { readPlain, setAccess, writeFile } from "../../host/root-files/files.ts";
import type { Access } from "../../host/root-files/replace.ts";
import { type Layout, USERS } from "../../settings/layout.ts";

/** Not the web, which reads its own extract: the settings file contains secrets. */
export function settingsAccess(): Required<Access> {
  return { mode: 0o640, owner: { uid: 0, gid: groupId(USERS.guard) } };
}

/** For root. A file that was copied or moved into place may be readable only for root, and not for the guard. */
export function restoreSettingsAccess({ settings }: Layout): void {
  const { mode, owner } = settingsAccess();
  const is = statSync(settings, { throwIfNoEntry: false });
  if (is?.isFile() !== true) return;
  if ((is.mode & 0o7777) !== mode || is.uid !== owner.uid || is.gid !== owner.gid) setAccess(settings, { mode, owner });
}

/** Larger than any settings file (settings/load.ts). */
const MOST_BYTES = 4_000_000;

/** A reader sees the old text or the new one; owner and mode stay. */
export function rewriteSettings(path: string, text: string): void {
  const before = readPlain(path, MOST_BYTES);
  writeFile(path, text, before === null ? { mode: 0o640 } : { mode: before.mode, owner: before.owner });
}
