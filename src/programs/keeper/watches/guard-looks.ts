import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { KeeperReply } from "../../../admin/declare/keeper.ts";
import type { AlertKind } from "../../../core/alerts/alerts.ts";
import { type AlertLanguage, alertFrames } from "../../../core/alerts/frames.ts";
import { printable } from "../../../core/text.ts";
import { isoTime, MINUTE_MS, type Millis, SECOND_MS } from "../../../core/time.ts";
import type { Clock } from "../../../guard/ports.ts";
import { removeFile } from "../../../host/root-files/files.ts";
import { signal } from "../../../host/running/processes.ts";
import { MAY_STAND_IN, type ServiceName } from "../../../host/running/runit.ts";
import { pidOf } from "../../../host/running/supervise.ts";
import { lastLogLine } from "../../../host/running/supervised.ts";
import { ask } from "../../../host/sockets/control-client.ts";
import type { AlertMail } from "../../../mail/notifiers/alert-mails.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { Repeated } from "../repeat.ts";

type GuardLooksParts = GuardAlarmParts &
  Readonly<{
    services: Readonly<{ look: () => void }>;
    /** Null, or why the service was not reloaded. */
    reload: (service: ServiceName) => Promise<string | null>;
  }>;

/**
 * The guard, the services, and the guard's changes of `accounts.db`. Each has a separate check: none waits for a guard that
 * hangs, for a mail that the disk does not accept, or for a reload.
 */
export function guardLooks({ services, reload, ...parts }: GuardLooksParts): readonly Repeated[] {
  const { layout, say } = parts;
  const watch = new GuardWatch(layout);
  const alarm = new GuardAlarm(parts);
  const accounts = new AccountsDbWatch(layout, reload);
  const guardLook = async (): Promise<void> => {
    const ended = await watch.look();
    if (ended !== null) say(`the guard (pid ${ended}) answered nothing: killed, so that it starts again.`);
  };
  const accountsLook = async (): Promise<void> => {
    for (const failure of await accounts.look()) say(failure);
  };
  return [
    { everyMs: SECOND_MS, failing: "the services could not be looked at", look: () => services.look() },
    { everyMs: SECOND_MS, failing: "the guard could not be looked at", look: guardLook },
    { everyMs: SECOND_MS, failing: "no mail about the guard could be made", look: () => alarm.look(watch.isRunning) },
    { everyMs: SECOND_MS, failing: "accounts.db could not be looked at", look: accountsLook },
  ];
}

const ANSWER_MS = 3 * SECOND_MS;
/** With one check a second, a hanging guard is killed about 11 s after its last answer. */
const SILENT_LOOKS = 3;

/**
 * Kills a guard that accepts connections but does not answer. runsv(8) restarts only ended processes, while each mail
 * and sign-in waits for a hanging guard. A guard that does not run is left to runsv.
 */
export class GuardWatch {
  readonly #layout: Layout;
  readonly #answerMs: number;
  #silent: { pid: number; looks: number } | null = null;
  #isRunning = true;

  constructor(layout: Layout, answerMs: number = ANSWER_MS) {
    this.#layout = layout;
    this.#answerMs = answerMs;
  }

  /** Whether something listened on its socket at the last check. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /**
   * The killed pid, or null. One check at a time. Throws if the mark cannot be removed, as on a read-only disk: a hanging guard lets
   * no one pass, but a stand-in would.
   */
  async look(): Promise<number | null> {
    const pid = pidOf(this.#layout.services, "guard");
    const asked = await ask(this.#layout.controlSocket, { by: "keeper" }, { verb: "ping" }, this.#answerMs);
    const isSilent = !asked.ok && asked.kind === "timeout";
    this.#isRunning = asked.ok || asked.kind !== "not_running";
    // A new one may run by now, which has not been asked yet.
    if (!isSilent || pid === null || pid !== pidOf(this.#layout.services, "guard")) {
      this.#silent = null;
      return null;
    }
    const looks = this.#silent?.pid === pid ? this.#silent.looks + 1 : 1;
    this.#silent = { pid, looks };
    if (looks < SILENT_LOOKS) return null;
    this.#silent = null;
    removeFile(join(this.#layout.services, "guard", MAY_STAND_IN));
    signal(pid, "SIGKILL");
    return pid;
  }
}

/** More starts than an owner who experiments would make. Once reported, it is over when there are fewer than `few`. */
const STARTS = { withinMs: 10 * MINUTE_MS, many: 8, few: 2 } as const;
/** A restart takes a few seconds, even with a large database. */
const PATIENCE_MS = 12 * SECOND_MS;
const RETRY_MS = 10 * SECOND_MS;
const LINE_CHARACTERS = 1_000;

type GuardAlarmParts = Readonly<{
  layout: Layout;
  clock: Clock;
  mail: (alert: AlertMail) => Promise<KeeperReply>;
  /** The program that keeps a database locked, in one sentence; null if there is none. Called at each check while the guard does not run. */
  lockedBy: () => string | null;
  /** The language of the alerts. */
  language: () => AlertLanguage;
  say: (line: string) => void;
}>;

/** Mails the owner when the guard does not run, or keeps exiting or hanging, since no other alert is sent then. */
export class GuardAlarm {
  readonly #parts: GuardAlarmParts;
  #downSince: Millis | null = null;
  #alerted: Readonly<{ since: Millis }> | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;
  /** The process that was last seen running, and when each new one was. One that never listened is not among them. */
  #pid: number | null = null;
  #starts: readonly Millis[] = [];
  /** Since when it keeps exiting, once that was reported. */
  #endsSince: Millis | null = null;

  constructor(parts: GuardAlarmParts) {
    this.#parts = parts;
  }

  /** Call it about every second. Never rejects. */
  async look(isRunning: boolean): Promise<void> {
    const now = this.#parts.clock.now();
    if (isRunning) {
      this.#downSince = null;
      // While it keeps exiting, it is not back.
      if (this.#alerted !== null && this.#endsSince === null && (await this.#tellEnd(this.#alerted.since, now)))
        this.#alerted = null;
      return this.#lookAtStarts(now);
    }
    this.#downSince ??= now;
    const locked = this.#parts.lockedBy();
    if (this.#alerted !== null || now - this.#downSince < PATIENCE_MS) return;
    const { layout, say, language } = this.#parts;
    const frame = alertFrames[language()];
    const line = lastLogLineOf(layout);
    const body = [
      frame.silentSince(isoTime(this.#downSince), line),
      ...(locked === null ? [] : [frame.prevented(locked)]),
      frame.unguarded,
      frame.comesBack,
    ];
    if (!(await this.#mail("opened", frame.guardDown, body))) return;
    this.#alerted = { since: this.#downSince };
    say(`the guard does not run${locked === null ? "" : `: ${locked}`}; the owner was alerted. Last log line: ${line}`);
  }

  async #lookAtStarts(now: Millis): Promise<void> {
    const { layout, language, say } = this.#parts;
    const pid = pidOf(layout.services, "guard");
    const isNew = pid !== null && pid !== this.#pid;
    this.#pid = pid ?? this.#pid;
    this.#starts = [...this.#starts, ...(isNew ? [now] : [])].filter((at) => Math.abs(now - at) < STARTS.withinMs);
    const [since = now] = this.#starts;
    if (this.#endsSince !== null) {
      const isOver = this.#starts.length < STARTS.few;
      if (isOver && (await this.#tellEnd(this.#endsSince, now))) this.#endsSince = null;
      return;
    }
    if (this.#starts.length < STARTS.many) return;
    const frame = alertFrames[language()];
    const line = lastLogLineOf(layout);
    if (!(await this.#mail("opened", frame.guardEnds, [frame.endsSince(isoTime(since), line)]))) return;
    this.#endsSince = since;
    say(`the guard keeps exiting; the owner was alerted. Last log line: ${line}`);
  }

  /** Whether it was queued. */
  #tellEnd(since: Millis, now: Millis): Promise<boolean> {
    const frame = alertFrames[this.#parts.language()];
    const body = [frame.lasted(isoTime(since), isoTime(now))];
    return this.#mail("resolved", frame.guardUp, body);
  }

  /** Whether it was queued. */
  async #mail(kind: AlertKind, title: string, body: readonly string[]): Promise<boolean> {
    const { clock, mail } = this.#parts;
    const at = clock.now();
    if (at - this.#triedAt < RETRY_MS && at >= this.#triedAt) return false;
    this.#triedAt = at;
    const id = randomUUID();
    const sent = await mail({
      verb: "mail_alert",
      id,
      kind,
      at,
      severity: "critical",
      title,
      body: body.join("\n\n"),
    });
    if (sent.ok) this.#triedAt = Number.NEGATIVE_INFINITY;
    return sent.ok;
  }
}

function lastLogLineOf(layout: Layout): string {
  return printable(lastLogLine(layout, "guard") ?? "(none)", LINE_CHARACTERS);
}

const READERS = ["postfix", "dovecot"] as const satisfies readonly ServiceName[];

/** Makes Postfix and Dovecot reopen `accounts.db` after a new file replaced it: they keep the old one open. */
export class AccountsDbWatch {
  readonly #path: string;
  readonly #reload: (service: ServiceName) => Promise<string | null>;
  #inode: bigint | null;
  /** Those that still have the old file open, with the reason of the last failure. */
  readonly #unread = new Map<ServiceName, string | null>();

  constructor({ accountsDb }: Layout, reload: (service: ServiceName) => Promise<string | null>) {
    this.#path = accountsDb;
    this.#reload = reload;
    this.#inode = this.#now();
  }

  /** Retries until each is reloaded. Returns new reasons why one is not, a sentence each. Call it about every second. */
  async look(): Promise<readonly string[]> {
    const inode = this.#now();
    if (inode !== null && inode !== this.#inode) {
      this.#inode = inode;
      for (const service of READERS) this.#unread.set(service, null);
    }
    const failures: string[] = [];
    for (const [service, before] of this.#unread) {
      const reason = await this.#reload(service);
      if (reason === null) {
        this.#unread.delete(service);
        continue;
      }
      this.#unread.set(service, reason);
      if (reason !== before)
        failures.push(`${service} could not be reloaded after accounts.db was replaced: ${reason}`);
    }
    return failures;
  }

  #now(): bigint | null {
    return statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
  }
}
