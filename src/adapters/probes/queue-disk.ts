import { accessSync, constants, statfsSync } from "node:fs";
import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { codeOf } from "../../core/error.ts";

/** What programs write from time to time, such as a file with their number, may not fit into less. */
const LEAST_BYTES = 1024 * 1024;

/**
 * Where the disk of a directory takes no file, cleanup(8) waits and tries again and again, and Dovecot ends when it cannot
 * write its log. A restart does not help, and may fail: Dovecot and master(8) write their number into a file when they start.
 */
export function unlessDiskFull(result: ProbeResult, directory: string): ProbeResult {
  if (result.ok || !result.hangs) return result;
  const why = whyNoFile(directory);
  return why === null ? result : { ...result, hangs: false, says: `${result.says} while ${why}` };
}

/** As far as root can tell without writing: the kernel refuses it only what a read-only file system refuses all. */
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
