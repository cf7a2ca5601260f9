import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { KeeperReply, KeeperTrouble } from "../../admin/declare/keeper.ts";
import { readOr } from "../../core/error.ts";
import { renewalDue } from "../../core/report/figures.ts";
import { plural } from "../../core/text.ts";
import { DAY_MS, instant, isoTime, SECOND_MS } from "../../core/time.ts";
import type { Clock } from "../../guard/ports.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { removeFile, writeFile } from "../../host/root-files/files.ts";
import { signal } from "../../host/running/processes.ts";
import type { Layout } from "../../settings/layout.ts";
import { handshake } from "../probes/port-dialogue.ts";
import { type CertificateFiles, isServed, readPair, serve, servedFiles } from "./issue-certificate.ts";

type FollowParts = Readonly<{
  layout: Layout;
  /** Lets Postfix and Dovecot reload their certificate. Null, or why one of them could not. */
  reload: () => Promise<string | null>;
  clock: Clock;
}>;

/** `fresh` is a certificate (PEM) that this check put in use; `failed` says why it did not. */
type Checked = Readonly<{ fresh: string | null; failed: string | null }>;

/**
 * Uses a renewed certificate once its files match. Reads them completely at each check: this notices a
 * file rewritten in place, a renamed file and a changed symbolic link, however coarse the file system's clock is.
 */
export function createCertificateFollower({ layout, reload, clock }: FollowParts) {
  /** The problem at the last check. Reported only from the second check on, because a renewal may be half written. */
  let lastProblem: string | null = null;
  let refused: KeeperTrouble | null = null;
  let expiryTroubles: readonly KeeperTrouble[] = [];

  const noteProblem = (reason: string): void => {
    if (lastProblem !== null) refused = { code: "certificate_refused", detail: reason };
    lastProblem = reason;
  };

  /** Checks when the certificate in use expires, whatever its files hold. The alert that it expires soon stays after it has expired. */
  function checkExpiry(file: string): void {
    const leaf = readOr(() => new X509Certificate(readFileSync(servedFiles(layout).cert)), null);
    if (leaf === null) return;
    const end = leaf.validToDate.getTime();
    const leftMs = end - clock.now();
    const left = `${file}: ${plural(Math.max(0, Math.floor(leftMs / DAY_MS)), "day")} left`;
    expiryTroubles = [
      ...(clock.now() > renewalDue(leaf) ? [{ code: "certificate_expiring", detail: left } as const] : []),
      ...(leftMs < 0
        ? [{ code: "certificate_expired", detail: `${file} expired at ${isoTime(instant(end))}` } as const]
        : []),
    ];
  }

  return {
    async look(files: CertificateFiles): Promise<Checked> {
      const read = readPair(files, clock.now());
      if (read.ok && !isServed(read.pair, layout)) {
        writeFile(layout.tlsUnread, "", { mode: 0o600 });
        serve(read.pair, layout);
      }
      checkExpiry(files.cert);
      if (!read.ok) {
        // `certificate_expired` already says so.
        if (read.isExpired && expiryTroubles.some(({ code }) => code === "certificate_expired"))
          lastProblem = refused = null;
        else noteProblem(read.reason);
        return { fresh: null, failed: null };
      }
      const fresh = existsSync(layout.tlsUnread) ? read.pair.cert : null;
      const failed = fresh === null ? null : await reload();
      if (failed !== null) {
        noteProblem(failed);
        return { fresh: null, failed };
      }
      if (fresh !== null) removeFile(layout.tlsUnread);
      lastProblem = refused = null;
      return { fresh, failed: null };
    },
    troubles: (): readonly KeeperTrouble[] => (refused === null ? expiryTroubles : [refused, ...expiryTroubles]),
  };
}

/**
 * Makes new connections use the new certificate, without closing open ones: an smtpd finishes its session first. Dovecot is not reloaded,
 * because that would end IMAP sessions. Its configuration process is ended instead: each new login process asks the next one, which reads
 * the files again.
 */
export async function reloadCertificate({ postfixConf, dovecotConf }: Layout): Promise<string | null> {
  const reload = await runProgram("postfix", ["-c", postfixConf, "reload"]);
  if (reload.code !== 0) return `Postfix could not be reloaded: ${lastLines(reload)}`;
  const status = await runProgram("doveadm", ["-c", dovecotConf, "process", "status", "config"]);
  if (status.code !== 0) return `Dovecot did not list its processes: ${lastLines(status)}`;
  for (const [, pid] of status.stdout.matchAll(/^config\s+(\d+)\s/gm)) signal(Number(pid), "SIGTERM");
  return null;
}

const PATIENCE_MS = 5_000;
const POLL_MS = 100;
/** Connections in a row that must get the new certificate, because a process from before the change may still accept one of them. */
const IN_A_ROW = 3;

/** The part of `config apply`'s output about the certificate: nothing if it is the same as before. */
export async function certificateNews(
  { fresh, failed }: Checked,
  ports: readonly number[],
  patienceMs = PATIENCE_MS,
): Promise<readonly string[]> {
  if (failed !== null) return [`The new certificate is not in use: ${failed}`];
  if (fresh === null) return [];
  const late = await notServing(fresh, ports, patienceMs);
  if (late.length === 0) return ["New connections get the new certificate."];
  const subject = late.length === 1 ? `Port ${late.join()} does` : `Ports ${late.join(" and ")} do`;
  return [`${subject} not serve the new certificate yet.`];
}

/**
 * Waits until each of these ports, which speak TLS from the start, serves only this certificate (PEM) to several new connections in a row.
 * Returns the ports that do not in time.
 */
export async function notServing(
  cert: string,
  ports: readonly number[],
  patienceMs = PATIENCE_MS,
): Promise<readonly number[]> {
  const wanted = new X509Certificate(cert).fingerprint256;
  const signal = AbortSignal.timeout(patienceMs);
  const late = await Promise.all(
    ports.map(async (port) => {
      for (let inRow = 0; !signal.aborted; await pause(POLL_MS)) {
        inRow = (await fingerprintAt(port, patienceMs)) === wanted ? inRow + 1 : 0;
        if (inRow === IN_A_ROW) return [];
      }
      return [port];
    }),
  );
  return late.flat();
}

/** The fingerprint of the certificate at a port of this machine; null if there is none. */
async function fingerprintAt(port: number, timeoutMs: number): Promise<string | null> {
  const served = await handshake(
    { port, tlsStart: "at_once", goodbye: "" },
    { localAddress: "127.0.0.1", servername: "", timeoutMs },
  );
  return served.ok ? (served.certificate?.fingerprint256 ?? null) : null;
}

const REPORT_MS = 3 * SECOND_MS;

/** The certificate that Postfix and Dovecot read, and whether the ports with TLS from the start serve it. */
export async function certificateReport(
  layout: Layout,
  ports: readonly number[],
  troubles: readonly KeeperTrouble[],
): Promise<KeeperReply> {
  const leaf = readOr(() => new X509Certificate(readFileSync(servedFiles(layout).cert)), null);
  if (leaf === null) return { ok: false, reason: "No certificate is in use yet." };
  const found = await Promise.all(
    ports.map(async (port) => {
      const served = await fingerprintAt(port, REPORT_MS);
      return { port, isServed: served === null ? null : served === leaf.fingerprint256 };
    }),
  );
  const names = (leaf.subjectAltName ?? leaf.subject).split(/, |\n/).map((name) => name.replace(/^(DNS:|CN=)/, ""));
  const certificate = {
    names,
    issuer: leaf.issuer.replaceAll("\n", ", "),
    isSelfSigned: leaf.checkIssued(leaf) && leaf.verify(leaf.publicKey),
    notBefore: leaf.validFromDate.toISOString(),
    notAfter: leaf.validToDate.toISOString(),
    fingerprint: leaf.fingerprint256,
    trouble: troubles.length === 0 ? null : troubles.map(({ detail }) => detail).join("; "),
    ports: found,
  };
  return { ok: true, detail: "", certificate };
}
