import { statSync } from "node:fs";
import { groupId } from "../../adapters/machine/system-users.ts";
import { setAccess } from "../../adapters/root-files/files.ts";
import type { Access } from "../../adapters/root-files/replace.ts";
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
