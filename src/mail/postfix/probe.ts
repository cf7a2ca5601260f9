import { accessSync, constants, statfsSync } from "node:fs";
import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { codeOf } from "../../core/error.ts";
import type { Exchange } from "../probes/exchange.ts";

/**
 * Postfix's own services greet each connection with the name of their protocol (Postfix 3.7, mail_proto.h). While a
 * process is idle, master(8) starts no other, so a frozen one holds up every mail.
 */
export function announcing(protocol: string): Exchange {
  return { isAnswer: (received) => received.startsWith(`protocol\0${protocol}\0`) };
}

/** anvil(8) names its protocol in lines of text. smtpd asks it about each unknown client before the greeting. */
export const ANVIL: Exchange = { isAnswer: (received) => received.startsWith("protocol=anvil_protocol\n\n") };

/**
 * qmgr(8) and pickup(8) say nothing: each reads the words that wake it, closes the connection, and looks for new mail. master(8) wakes
 * them by `W` (Postfix 3.7, mail_proto.h).
 */
export const WOKEN: Exchange = { question: "W", isAnswer: () => false, endsAnswer: true };

/** cleanup(8) opens a queue file before it greets, and removes it when the connection ends without a mail. */
export const CLEANUP: Exchange = {
  isAnswer: (received) => /^protocol\0cleanup_protocol\0queue_id\0\w+\0\0/.test(received),
};

/** The greeting of port 25. The restrictions of main.cf accept the probe's source address without asking the guard. */
export const SMTP: Exchange = {
  isAnswer: (received) => /^220[ -].*\r\n/.test(received),
  isRefusal: (received) => /^[45]\d\d[ -].*\r\n/.test(received),
  goodbye: "QUIT\r\n",
};

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
