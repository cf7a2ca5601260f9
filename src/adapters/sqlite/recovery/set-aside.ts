import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { compactTime, instant, type Millis } from "../../../core/time.ts";

/** What happened to an unusable file. `missing`: it was gone, and only the new name records it. */
export type Fate = "damaged" | "replaced" | "missing";

const NAMES = /\.db\.(?:damaged|replaced|missing)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/**
 * Renames a database with the files beside it, so that a new one can take its place and nothing is lost. The new
 * name has the time: `engine.db.damaged-20261121T031500Z`. Close its connections before: SQLite removes `-wal` by name.
 */
export function setAside(path: string, fate: Fate, now: Millis): string {
  const aside = `${path}.${fate}-${compactTime(now)}`;
  if (existsSync(path)) renameSync(path, aside);
  else writeFileSync(aside, "", { mode: 0o640 });
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${aside}-wal`);
  rmSync(`${path}-shm`, { force: true });
  return aside;
}

/** The databases that were set aside and still exist, newest last. */
export function setAsideBeside(path: string): readonly string[] {
  const directory = dirname(path);
  const ours = readdirSync(directory).filter((name) => name.startsWith(`${basename(path)}.`) && NAMES.test(name));
  return ours.toSorted().map((name) => join(directory, name));
}

/** When a file was set aside; 0 for another name. */
export function timeOfName(aside: string): Millis {
  const [, year, month, day, hour, minute, second] = NAMES.exec(aside) ?? [];
  return instant(Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) || 0);
}
