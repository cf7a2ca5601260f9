import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { openFiles } from "../../src/host/running/read-processes.ts";

/** Writes a file, and makes the directories above it. */
export function put(path: string, content: string | Uint8Array = "", mode?: number): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode });
}

/** The text of a file. */
export const contentOf = (path: string): string => readFileSync(path, "utf8");

/** Who may use a file or directory, as chmod(2) sets it. */
export const modeOf = (path: string): number => statSync(path).mode & 0o7777;

/** The files in this directory that this process has open. */
export function openFilesIn(directory: string): readonly string[] {
  return openFiles(process.pid).filter((file) => dirname(file) === directory);
}
