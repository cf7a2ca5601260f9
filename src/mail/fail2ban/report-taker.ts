import { type Dirent, opendirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Ban } from "../../core/decide/decision.ts";
import { JAIL_OF_WEB } from "../../core/decide/jails.ts";
import { messageOf, nullOn } from "../../core/error.ts";
import type { JailReported } from "../../core/events/report.ts";
import { HOUR_MS, later, type Millis } from "../../core/time.ts";
import { Budget } from "../../guard/budget.ts";
import { WEB_LIMITS } from "../../guard/commands/web/web-bounds.ts";
import type { Engine } from "../../guard/engine.ts";
import type { Clock, Log } from "../../guard/ports.ts";
import { readPlain } from "../../host/root-files/files.ts";
import { type JailReportRead, parseJailReport } from "./jail-report.ts";

export type ReportTakerParts = Readonly<{
  directory: string;
  engine: Engine;
  clock: Clock;
  /** How far the machine's clock is ahead of ours, because Fail2ban uses the times in logs. */
  aheadMs: () => number;
  log: Log;
  /** A jail whose log anyone but a proxy can fill with addresses of their choice while `isNow`; null if there is none. */
  forgeable: Readonly<{ jail: string; isNow: () => boolean }> | null;
  /** Called for each ban that a report causes. Must not throw. */
  banned: (ban: Ban, report: JailReported) => void;
}>;

const LOOK_MS = 200;
const AT_ONCE = 200;
/** Maximum time per check, so that decisions get the rest; `AT_LEAST` reports are taken even on a slow disk. */
const WORK_MS = 40;
const AT_LEAST = 10;
const DROPPED_AT_LEAST = 500;

/**
 * Handles Fail2ban's reports, including those from while the guard was down. A report is deleted once its decision is committed. If a kill
 * in between makes it arrive twice, its offences are already decided on the second time.
 */
export function createReportTaker({ directory, engine, clock, aheadMs, log, forgeable, banned }: ReportTakerParts) {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let isFailing = false;
  let isFullReported = false;
  /** Since when the forgeable log is known to contain real clients' addresses; null while it is not. */
  let provenSince: Millis | null = null;
  const bansOfWeb = new Budget(WEB_LIMITS.bannedSignIns, HOUR_MS);

  const remove = (name: string): void => void nullOn(["ENOENT"], () => unlinkSync(join(directory, name)));

  /** Fail2ban may take seconds to report lines from before the log could be trusted. */
  const mayBeForged = (report: JailReported): boolean =>
    report.jail === forgeable?.jail && (provenSince === null || firstAt(report) < provenSince);

  /** The guard judges sign-ins to the dashboard itself, so it loses nothing by fewer reports. */
  const isBeyondWeb = ({ jail }: JailReported): boolean => jail === JAIL_OF_WEB && !bansOfWeb.isLeft(clock.now());

  /** Converts times to the guard's clock. Otherwise offences that the guard has seen would count as unseen. */
  const byOurTime = (report: JailReported): JailReported => {
    const [now, ahead] = [clock.now(), aheadMs()];
    if (ahead === 0) return report;
    // Lines from before the clock was set have the old time.
    const toOurTime = (at: Millis): Millis =>
      Math.abs(at - now - ahead) < Math.abs(at - now) ? later(at, -ahead) : at;
    const lines = report.lines.map((line) => ({ ...line, at: toOurTime(line.at) }));
    return { ...report, lastAt: toOurTime(report.lastAt), lines };
  };

  /** Whether the report was handled; false leaves it for later. */
  const take = async (name: string): Promise<boolean> => {
    const read = readReport(join(directory, name));
    const report = read.ok ? byOurTime(read.report) : null;
    if (report !== null && mayBeForged(report))
      log.warn("A report of Fail2ban was dropped.", { name, why: "its PROXY headers may be forged" });
    else if (report !== null && !isBeyondWeb(report)) {
      const { reason, changes } = await engine.ask(report);
      if (reason === "not_recorded") return false;
      for (const change of changes)
        if (change.type === "BAN" && change.ban.simulated !== true) {
          if (report.jail === JAIL_OF_WEB) bansOfWeb.spend(clock.now());
          banned(change.ban, report);
        }
    } else if (!read.ok) log.warn("A report of Fail2ban was dropped.", { name, why: read.reason });
    remove(name);
    return true;
  };

  /** Uses half of the time budget, and makes progress even if listing the names takes longer. */
  const dropUnread = (names: readonly string[], until: number): void => {
    if (names.length > 0 && !isFullReported)
      log.warn("The directory of Fail2ban's reports holds too many files: most are removed unread.", { directory });
    isFullReported ||= names.length > 0;
    for (const [index, name] of names.entries()) {
      if (index >= DROPPED_AT_LEAST && performance.now() > until - WORK_MS / 2) break;
      remove(name);
    }
  };

  const takeAll = async (): Promise<void> => {
    if (forgeable?.isNow() === true) provenSince = null;
    else provenSince ??= clock.now();
    try {
      const until = performance.now() + WORK_MS;
      const { reports, surplus } = waitingReports(directory, AT_ONCE);
      dropUnread(surplus, until);
      for (const [index, name] of reports.entries()) {
        if (index >= AT_LEAST && performance.now() > until) break;
        // While the database cannot be written, the next report would fail as well.
        if (!(await take(name))) break;
      }
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn("Reports of Fail2ban cannot be read; retrying.", { why: messageOf(error) });
      isFailing = true;
    }
  };

  /** Takes the waiting reports. Never rejects. */
  const look = (): Promise<void> => {
    running ??= takeAll().finally(() => {
      running = null;
    });
    return running;
  };

  return {
    look,
    start: (): void => {
      timer = setInterval(() => void look(), LOOK_MS);
      void look();
    },
    stop: async (): Promise<void> => {
      clearInterval(timer);
      await running;
    },
  };
}

/** The earliest possible time of a report's first offence. If it does not contain all lines, only the window is known. */
function firstAt({ failures, lines, lastAt, windowMs }: JailReported): Millis {
  if (failures > lines.length) return later(lastAt, -windowMs);
  return lines.reduce((first, { at }) => (at < first ? at : first), lastAt);
}

/** More than the longest report that Fail2ban's action writes. */
const MOST_BYTES = 1024 * 1024;
/** Maximum names read at once: Fail2ban writes fewer reports in an hour of attacks. */
const MOST_NAMES = 4_000;
const NAMES_AT_ONCE = 256;
const REPORT = /^[\w-]+\.json$/;

/**
 * The reports in a directory in which another program leaves one file for each: at most `most`, the oldest of those read. A file is
 * complete once its name ends in `.json`. `surplus`: files to remove unread, because the directory holds more than `MOST_NAMES`. Throws if
 * the directory cannot be read.
 */
export function waitingReports(directory: string, most: number) {
  const entries = firstEntries(directory);
  const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  const reports = names
    .filter((name) => REPORT.test(name))
    .toSorted()
    .slice(0, most);
  if (entries.length < MOST_NAMES) return { reports, surplus: [] };
  const taken = new Set(reports);
  return { reports, surplus: names.filter((name) => !taken.has(name)) };
}

/** The directory may hold any number: at most `MOST_NAMES` are read. */
function firstEntries(path: string): readonly Dirent[] {
  using directory = opendirSync(path, { bufferSize: NAMES_AT_ONCE });
  const entries: Dirent[] = [];
  while (entries.length < MOST_NAMES) {
    const entry = directory.readSync();
    if (entry === null) break;
    entries.push(entry);
  }
  return entries;
}

/** The writer is not trusted: only a regular file of a plausible size is read. */
export function readReport(file: string): JailReportRead {
  try {
    const found = readPlain(file, MOST_BYTES);
    return found === null ? { ok: false, reason: "It is gone." } : parseJailReport(found.text);
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}
