import { readPlain, writeFile } from "../../adapters/root-files/files.ts";

/** Larger than any settings file (settings/load.ts). */
const MOST_BYTES = 4_000_000;

/** A reader sees the old text or the new one; owner and mode stay. */
export function rewriteSettings(path: string, text: string): void {
  const before = readPlain(path, MOST_BYTES);
  writeFile(path, text, before === null ? { mode: 0o640 } : { mode: before.mode, owner: before.owner });
}
