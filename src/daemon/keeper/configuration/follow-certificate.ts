import { lastLines, runProgram } from "../../../adapters/machine/run-program.ts";
import { plural } from "../../../core/text.ts";
import { SECOND_MS } from "../../../core/time.ts";
import type { Clock } from "../../../engine/ports.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { KeeperTrouble } from "../../../wire/control/keeper.ts";
import { type CertificateFiles, isServed, readPair, serve } from "../../set-up/issue-certificate.ts";
import { signal } from "../../set-up/running/processes.ts";

export type FollowParts = Readonly<{
  layout: Layout;
  /** Lets Postfix and Dovecot reload their certificate. Null, or why one of them could not. */
  reload: () => Promise<string | null>;
  clock: Clock;
}>;

/** `fresh` is a certificate (PEM) that this check put in use; `failed` says why it did not. */
export type Looked = Readonly<{ fresh: string | null; failed: string | null }>;

const DAYS_14_MS = 14 * 24 * 3_600 * SECOND_MS;

/**
 * Uses a renewed certificate once its files match. Reads them completely at each check: this notices a
 * file rewritten in place, a renamed file and a changed symbolic link, however coarse the file system's clock is.
 */
export class CertificateFollower {
  readonly #parts: FollowParts;
  /** The problem at the last check. Reported from the second check on: a renewal may be half written. */
  #doubt: string | null = null;
  #reloadDue = false;
  #refused: KeeperTrouble | null = null;
  #expiring: KeeperTrouble | null = null;

  constructor(parts: FollowParts) {
    this.#parts = parts;
  }

  async look(files: CertificateFiles): Promise<Looked> {
    const { layout, reload, clock } = this.#parts;
    const read = readPair(files, clock.now());
    if (!read.ok) {
      this.#doubtIt(read.reason);
      return { fresh: null, failed: null };
    }
    if (!isServed(read.pair, layout)) {
      serve(read.pair, layout);
      this.#reloadDue = true;
    }
    const fresh = this.#reloadDue ? read.pair.cert : null;
    if (this.#reloadDue) {
      const failed = await reload();
      if (failed !== null) {
        this.#doubtIt(failed);
        return { fresh: null, failed };
      }
      this.#reloadDue = false;
    }
    this.#doubt = null;
    this.#refused = null;
    const leftMs = read.pair.validTo - clock.now();
    this.#expiring =
      leftMs < Math.min(DAYS_14_MS, read.pair.lifetimeMs / 4)
        ? {
            code: "certificate_expiring",
            detail: `${files.cert}: ${plural(Math.ceil(leftMs / (24 * 3_600_000)), "day")} left`,
          }
        : null;
    return { fresh, failed: null };
  }

  troubles(): readonly KeeperTrouble[] {
    return [this.#refused, this.#expiring].filter((trouble) => trouble !== null);
  }

  #doubtIt(reason: string): void {
    if (this.#doubt !== null) this.#refused = { code: "certificate_refused", detail: reason };
    this.#doubt = reason;
  }
}

/**
 * New connections use the new certificate, and no open one ends. An smtpd finishes its session. Dovecot is not
 * reloaded: that would end sessions that are idle for ten seconds and make it forget all others, which then could not
 * be ended. Its login processes ask its configuration process, one connection each, and a new one of those reads the
 * files again.
 */
export async function reloadCertificate({ postfixConf, dovecotConf }: Layout): Promise<string | null> {
  const reload = await runProgram("postfix", ["-c", postfixConf, "reload"]);
  if (reload.code !== 0) return `Postfix could not be reloaded: ${lastLines(reload)}`;
  const status = await runProgram("doveadm", ["-c", dovecotConf, "process", "status", "config"]);
  if (status.code !== 0) return `Dovecot could not be asked for its processes: ${lastLines(status)}`;
  for (const [, pid] of status.stdout.matchAll(/^config\s+(\d+)\s/gm)) signal(Number(pid), "SIGTERM");
  return null;
}
