import { accessSync, constants, statfsSync } from "node:fs";
import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { codeOf } from "../../core/error.ts";

/** Less may not be enough for the small files of programs, such as pid files. */
const LEAST_BYTES = 1024 * 1024;

/**
 * If a directory's disk accepts no file, cleanup(8) keeps retrying, and Dovecot ends when it cannot
 * write its log. A restart does not help, and may fail: Dovecot and master(8) write a pid file when they start.
 */
export function unlessDiskFull(result: ProbeResult, directory: string): ProbeResult {
  if (result.ok || !result.hangs) return result;
  const why = whyNoFile(directory);
  return why === null ? result : { ...result, hangs: false, says: `${result.says} while ${why}` };
}

/** Checks as far as root can without writing: for root the kernel refuses only what a read-only file system refuses everyone. */
function whyNoFile(directory: string): string | null {
  try {
    accessSync(directory, constants.W_OK);
    const { bavail, bsize, files, ffree } = statfsSync(directory);
    if (bavail * bsize < LEAST_BYTES) return `no space is left below ${directory}`;
    // Some file systems do not count inodes.
    return files > 0 && ffree === 0 ? `no inode is left below ${directory}` : null;
  } catch (error) {
    return `${directory} cannot be written (${codeOf(error)})`;
  }
}
