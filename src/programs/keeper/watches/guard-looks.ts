import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod/mini";
import { LATEST_MS } from "../../../admin/declare/keeper.ts";
import type { AlertKind } from "../../../core/alerts/alerts.ts";
import { type AlertLanguage, alertFrames } from "../../../core/alerts/frames.ts";
import { printable } from "../../../core/text.ts";
import { instant, isoTime, MINUTE_MS, type Millis, SECOND_MS } from "../../../core/time.ts";
import { withoutGuard } from "../../../guard/explain/health.ts";
import type { Clock } from "../../../guard/ports.ts";
import { removeFile } from "../../../host/root-files/files.ts";
import { readRecord, rememberedIn, writeRecord } from "../../../host/root-files/record-file.ts";
import { signal } from "../../../host/running/processes.ts";
import { MAY_STAND_IN, type ServiceName } from "../../../host/running/runit.ts";
import { pidOf } from "../../../host/running/supervise.ts";
import { lastLogLine } from "../../../host/running/supervised.ts";
import { ask } from "../../../host/sockets/control-client.ts";
import type { MailAlarm } from "../../../mail/notifiers/alert-mails.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { Repeated } from "../repeat.ts";
import type { Watches } from "./watches.ts";

type GuardLooksParts = GuardAlarmParts &
  Readonly<{
    services: Readonly<{ look: () => void }>;
    /** Reloads these services, and those whose last reload failed. Null, or why one was not reloaded. */
    reload: (services: readonly ServiceName[]) => Promise<string | null>;
    /** Reloads only those of them whose last reload failed. */
    retry: (services: readonly ServiceName[]) => Promise<string | null>;
  }>;

/**
 * Checks of the guard, of the services, and for the guard's changes of `accounts.db`. They are separate, so that none waits for a guard
 * that hangs, for a mail that the disk does not accept, or for a reload.
 */
export function guardLooks({ services, reload, retry, ...parts }: GuardLooksParts): readonly Repeated[] {
  const { layout, say } = parts;
  const watch = createGuardWatch(layout);
  const alarm = createGuardAlarm(parts);
  const accountsLook = createAccountsDbWatch(layout, { reload, retry });
  const guardLook = async (): Promise<void> => {
    const ended = await watch.look();
    if (ended !== null) say(`the guard (pid ${ended}) did not respond and was killed; it restarts automatically.`);
  };
  const alarmLook = async (): Promise<void> => {
    const isRunning = watch.isRunning();
    if (isRunning !== null) await alarm(isRunning);
  };
  return [
    { everyMs: SECOND_MS, failing: "the services could not be checked", look: () => services.look() },
    { everyMs: SECOND_MS, failing: "the guard could not be checked", look: guardLook },
    { everyMs: SECOND_MS, failing: "no mail about the guard could be sent", look: alarmLook },
    { everyMs: SECOND_MS, failing: "the new accounts.db is not in use yet", look: accountsLook },
  ];
}

const ANSWER_MS = 3 * SECOND_MS;
/** With one check a second, a hanging guard is killed about 11 s after its last answer. */
const SILENT_LOOKS = 3;

/**
 * Kills a guard that accepts connections but does not answer. runsv(8) restarts only ended processes, while each mail
 * and sign-in waits for a hanging guard. A guard that does not run is left to runsv.
 */
export function createGuardWatch(layout: Layout, answerMs: number = ANSWER_MS) {
  let silent: { pid: number; looks: number } | null = null;
  /** Whether something listened on its socket at the last check; null before the first. */
  let isRunning: boolean | null = null;

  /**
   * Returns the killed pid, or null. Run one check at a time. Throws if the mark cannot be removed, as on a read-only disk: a hanging guard
   * lets no one pass, but a stand-in would.
   */
  async function look(): Promise<number | null> {
    const pid = pidOf(layout.services, "guard");
    const asked = await ask(layout.controlSocket, { by: "keeper" }, { verb: "ping" }, answerMs);
    const isSilent = !asked.ok && asked.kind === "timeout";
    isRunning = asked.ok || asked.kind !== "not_running";
    // A new guard may run by now, which has not been asked yet.
    if (!isSilent || pid === null || pid !== pidOf(layout.services, "guard")) {
      silent = null;
      return null;
    }
    const looks = silent?.pid === pid ? silent.looks + 1 : 1;
    silent = { pid, looks };
    if (looks < SILENT_LOOKS) return null;
    silent = null;
    removeFile(join(layout.services, "guard", MAY_STAND_IN));
    signal(pid, "SIGKILL");
    return pid;
  }

  return { look, isRunning: () => isRunning };
}

/** More starts than an owner who experiments would make. Once reported, it is over when there are fewer than `few`. */
const STARTS = { withinMs: 10 * MINUTE_MS, many: 8, few: 2 } as const;
/** A restart takes a few seconds, even with a large database. */
const PATIENCE_MS = 12 * SECOND_MS;
const RETRY_MS = 10 * SECOND_MS;
const LINE_CHARACTERS = 1_000;

const reportedAt = z.nullable(z.number().check(z.minimum(0), z.maximum(LATEST_MS)));
const reportedSince = z.object({ down: reportedAt, exits: reportedAt });

type GuardAlarmParts = Readonly<{
  layout: Layout;
  clock: Clock;
  mail: MailAlarm;
  /** The program that keeps a database locked, in one sentence; null if there is none. Called at each check while the guard is not running. */
  lockedBy: () => string | null;
  /** What the other services do, as the keeper reports it. */
  report: Watches["report"];
  language: () => AlertLanguage;
  say: (line: string) => void;
}>;

/** Mails the owner when the guard is not running, or keeps exiting or hanging, since no other alert is sent then. */
export function createGuardAlarm({ layout, clock, mail, lockedBy, report, language, say }: GuardAlarmParts) {
  let downSince: Millis | null = null;
  /** Since when the guard has been down, and has kept exiting, once that was reported. A restart of the keeper ends neither. */
  const alerted = rememberedIn(layout, "guard-alarm.json", reportedSince, { down: null, exits: null });
  let triedAt = Number.NEGATIVE_INFINITY;
  /** The process last seen running, and when each new one was first seen. Omits those that never listened. */
  let lastPid: number | null = null;
  let starts: readonly Millis[] = alerted.get().exits === null ? [] : [clock.now()];

  async function lookAtStarts(now: Millis): Promise<void> {
    const pid = pidOf(layout.services, "guard");
    const isNew = pid !== null && pid !== lastPid;
    lastPid = pid ?? lastPid;
    starts = [...starts, ...(isNew ? [now] : [])].filter((at) => Math.abs(now - at) < STARTS.withinMs);
    const [since = now] = starts;
    const { down, exits } = alerted.get();
    if (exits !== null) {
      const isOver = starts.length < STARTS.few;
      if (isOver && (await alertEnd(exits, now))) alerted.set({ down, exits: null });
      return;
    }
    if (starts.length < STARTS.many) return;
    const frame = alertFrames[language()];
    const line = lastLogLineOf(layout);
    if (!(await queue("opened", frame.guardEnds, [frame.endsSince(isoTime(since), line)]))) return;
    alerted.set({ down, exits: since });
    say(`the guard keeps exiting; the owner was alerted. Last log line: ${line}`);
  }

  /** Returns whether the mail was queued. */
  function alertEnd(since: number, now: Millis): Promise<boolean> {
    const frame = alertFrames[language()];
    return queue("resolved", frame.guardUp, [frame.lasted(isoTime(instant(since)), isoTime(now))]);
  }

  /** Returns whether the mail was queued. */
  async function queue(kind: AlertKind, title: string, body: readonly string[]): Promise<boolean> {
    const at = clock.now();
    if (at - triedAt < RETRY_MS && at >= triedAt) return false;
    triedAt = at;
    const sent = await mail({ kind, at, severity: "critical", title, body: body.join("\n\n") });
    if (sent.ok) triedAt = Number.NEGATIVE_INFINITY;
    return sent.ok;
  }

  /** Call it about every second. Never rejects. */
  return async (isRunning: boolean): Promise<void> => {
    const now = clock.now();
    const { down, exits } = alerted.get();
    if (isRunning) {
      downSince = null;
      // While it keeps exiting, it is not back.
      if (down !== null && exits === null && (await alertEnd(down, now))) alerted.set({ down: null, exits });
      return lookAtStarts(now);
    }
    // A later time means that the clock was set back.
    if (downSince === null || downSince > now) downSince = now;
    const locked = lockedBy();
    if (down !== null || now - downSince < PATIENCE_MS) return;
    const frame = alertFrames[language()];
    const line = lastLogLineOf(layout);
    const { services, troubles } = report();
    const unnamed = locked === null ? troubles : troubles.filter(({ code }) => code !== "database_locked");
    const others = withoutGuard({ ok: true, detail: "", services, troubles: unnamed });
    const body = [
      frame.silentSince(isoTime(downSince), line),
      ...(locked === null ? [] : [frame.prevented(locked)]),
      others.mailFlows ? frame.mailFlows : frame.mailMayFail,
      frame.unguarded,
      ...(others.failing.length === 0 ? [] : [frame.failsToo(others.failing.join("\n    "))]),
      frame.comesBack,
    ];
    if (!(await queue("opened", frame.guardDown, body))) return;
    alerted.set({ down: downSince, exits });
    say(
      `the guard is not running${locked === null ? "" : `: ${locked}`}; the owner was alerted. Last log line: ${line}`,
    );
  };
}

function lastLogLineOf(layout: Layout): string {
  return printable(lastLogLine(layout, "guard") ?? "(none)", LINE_CHARACTERS);
}

const READERS = ["postfix", "dovecot"] as const satisfies readonly ServiceName[];

/**
 * Makes Postfix and Dovecot reopen `accounts.db` after a new file replaced it, even while no keeper was running: they keep the old one
 * open.
 */
export function createAccountsDbWatch(
  { accountsDb, keeperSocket }: Layout,
  { reload, retry }: Pick<GuardLooksParts, "reload" | "retry">,
) {
  const inodeNow = (): string | null =>
    statSync(accountsDb, { bigint: true, throwIfNoEntry: false })?.ino.toString() ?? null;
  /** Holds the inode that they use. */
  const file = join(dirname(keeperSocket), "accounts-db-inode.json");
  let noted = readRecord(file, z.nullable(z.string()), null);
  let inode = noted ?? inodeNow();
  let isInUse = true;

  /** Call it about every second. Throws if a service could not be reloaded: the next call reloads those that were not. */
  return async (): Promise<void> => {
    const present = inodeNow() ?? inode;
    const isNew = present !== inode;
    if (isNew || !isInUse) {
      inode = present;
      isInUse = false;
      // Retrying another service here would restart it each second.
      const failed = await (isNew ? reload : retry)(READERS);
      if (failed !== null) throw new Error(failed);
      isInUse = true;
    }
    if (inode === noted) return;
    noted = inode;
    writeRecord(file, inode);
  };
}
