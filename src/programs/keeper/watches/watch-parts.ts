import { statSync } from "node:fs";
import { join } from "node:path";
import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import {
  afterProbe,
  afterRestart,
  isBeyondHelp,
  isReported,
  isYoungAt,
  type ProbeRecord,
  UNTRIED,
  wantsRestart,
} from "../../../core/alerts/probe-record.ts";
import { messageOf } from "../../../core/error.ts";
import { plural } from "../../../core/text.ts";
import { instant, isoTime, type Millis, SECOND_MS } from "../../../core/time.ts";
import type { Clock } from "../../../guard/ports.ts";
import { textOrNothing } from "../../../host/machine/read-text.ts";
import { allPids, type Stat, statOf, withDescendants } from "../../../host/running/read-processes.ts";
import { SERVICES, type ServiceName } from "../../../host/running/runit.ts";
import { pidFile, pidOf } from "../../../host/running/supervise.ts";
import { serviceExists } from "../../../host/running/supervised.ts";
import type { Probe } from "./probes.ts";

/** A part that has not answered is probed sooner, milliseconds after the last attempt. */
const AGAIN_MS = 3 * SECOND_MS;
/** Spreads the probes after a start. */
const APART_MS = 300;

type PartsWatchParts = Readonly<{
  services: string;
  probes: readonly Probe[];
  clock: Clock;
  /** Stops a service, including leftover processes, and starts it. Null, or why it failed. */
  restart: (service: ServiceName) => Promise<string | null>;
  /** Starts a measurement of `isStarved`. */
  starvation: () => () => boolean;
  say: (what: string) => void;
}>;

type Watched = { probe: Probe; record: ProbeRecord; answeredAt: Millis | null; isAsking: boolean; askAt: number };

/**
 * Probes each part of the server. A part that fails twice in a row is reported, one that keeps hanging is
 * restarted, and one that no restart helps counts as down.
 */
export function createPartsWatch({ services, probes, clock, restart, starvation, say }: PartsWatchParts) {
  let all: readonly Watched[] = [];
  const restarting = new Set<ServiceName>();
  use(probes);

  /** Call it after a change of the settings. Parts keep their state. */
  function use(wanted: readonly Probe[]): void {
    const known = new Map(all.map(({ probe, record }) => [probe.name, record]));
    const from = performance.now();
    all = wanted.map((probe, index) => ({
      probe,
      record: known.get(probe.name) ?? UNTRIED,
      answeredAt: null,
      isAsking: false,
      askAt: from + index * APART_MS,
    }));
  }

  /** Probes every part whose interval has passed, and waits for none of the answers. Call it about every second. Never throws. */
  function look(): void {
    const now = performance.now();
    for (const watched of all) {
      const { probe, isAsking, askAt } = watched;
      if (isAsking || now < askAt || restarting.has(probe.service)) continue;
      if (serviceExists(services, probe.service) && (probe.isInUse?.() ?? true)) void ask(watched);
      else watched.record = UNTRIED;
    }
  }

  /** One for each notice, with all silent parts. */
  function troubles(): readonly KeeperTrouble[] {
    const silent = Map.groupBy(failing(), ({ probe }) => probe.notice);
    return [...silent].map(([code, watched]) => ({ code, detail: detailOf(watched) }));
  }

  /** The silent parts of a service, for the status. */
  function silenceOf(service: ServiceName): Readonly<{ silence?: Readonly<{ says: string; isBeyondHelp: boolean }> }> {
    const silent = failing().filter(({ probe }) => probe.service === service);
    if (silent.length === 0) return {};
    const now = clock.now();
    return {
      silence: { says: detailOf(silent), isBeyondHelp: silent.some(({ record }) => isBeyondHelp(record, now)) },
    };
  }

  async function ask(watched: Watched): Promise<void> {
    const { probe } = watched;
    watched.isAsking = true;
    const askedAt = performance.now();
    const isStarved = watched.record.failures === 0 ? null : starvation();
    const result = await probe.check(probe.timeoutMs);
    const now = clock.now();
    // Its service may have been stopped on purpose since.
    if (!restarting.has(probe.service)) {
      const startedAt = startOf(services, probe.service);
      if (result.ok) watched.answeredAt = now;
      const hasAnswered = startedAt !== null && watched.answeredAt !== null && watched.answeredAt > startedAt;
      const isYoung = startedAt !== null && !hasAnswered && isYoungAt(startedAt, now);
      watched.record = afterProbe(watched.record, result, { now, isYoung, isStarved: isStarved?.() ?? false });
    }
    watched.askAt = result.ok ? askedAt + probe.everyMs : performance.now() + AGAIN_MS;
    watched.isAsking = false;
    if (pidOf(services, probe.service) !== null && wantsRestart(watched.record, now)) await restartService(watched);
  }

  /** Restarts a service. The counts of all its parts start again. */
  async function restartService({ probe: { service, name }, record: { says } }: Watched): Promise<void> {
    if (restarting.has(service)) return;
    restarting.add(service);
    const failed = await restart(service)
      .catch(messageOf)
      .finally(() => restarting.delete(service));
    say(`${name} ${says}: ${service} ${failed === null ? "was restarted." : `could not be restarted: ${failed}`}`);
    for (const watched of all)
      if (watched.probe.service === service) watched.record = afterRestart(watched.record, clock.now());
  }

  function failing(): readonly Watched[] {
    return all.filter(({ record }) => isReported(record));
  }

  function detailOf(watched: readonly Watched[]): string {
    const now = clock.now();
    const says = watched.map(({ probe, record }) => {
      const since = record.since === null ? "" : `, since ${isoTime(record.since)}`;
      const wasRestarted = record.restartedAt !== null && record.since !== null && record.restartedAt >= record.since;
      const helped = isBeyondHelp(record, now) && wasRestarted ? "; a restart has not helped" : "";
      return `${probe.name} ${record.says}${since}${helped}`;
    });
    const names = [...new Set(watched.map(({ probe }) => join(services, probe.service)))];
    return `${says.join(". ")}. Try: sv restart ${names.join(" ")}`;
  }

  return { use, look, troubles, silenceOf };
}

/** When runsv(8) started the service that runs now; null while it is down. */
function startOf(services: string, service: ServiceName): Millis | null {
  if (pidOf(services, service) === null) return null;
  const stat = statSync(pidFile(services, service), { throwIfNoEntry: false });
  return stat === undefined ? null : instant(stat.mtimeMs);
}

const LOOK_EVERY_MS = 4 * SECOND_MS;
/** Checks in a row that find the same process: a debugger or a short `kill -STOP; kill -CONT` is not reported. */
const LOOKS = 2;
/** Checks after which a stopped program that writes a log is continued: 12 to 16 s. */
const LOOKS_OF_WRITERS = 4;
/** Programs that no probe asks. Once some kilobytes wait for them, every program that logs to them hangs too. */
const LOG_WRITERS: readonly string[] = ["svlogd", "postlogd"];
const MOST_NAMED = 3;

/** Stopped by a signal (SIGSTOP, SIGTSTP). A process stopped by a debugger is in state t. */
const STOPPED = "T";

/**
 * Finds programs of the server that a signal has stopped. Probes detect that a part does not work; this names the
 * process and the cause, and finds programs that no probe asks. `proceed` sends SIGCONT.
 */
export function createStoppedWatch(services: string, proceed: (pid: number) => void, say: (what: string) => void) {
  let seen = new Map<string, Readonly<{ stat: Stat; looks: number }>>();
  let nextLookAt = 0;

  /** Call it about every second. */
  function look(nowMs: number = performance.now()): void {
    if (nowMs < nextLookAt) return;
    nextLookAt = nowMs + LOOK_EVERY_MS;
    const stopped = familyOf(services).filter(({ state }) => state === STOPPED);
    seen = new Map(stopped.map((stat) => [keyOf(stat), { stat, looks: (seen.get(keyOf(stat))?.looks ?? 0) + 1 }]));
    for (const { stat, looks } of seen.values())
      if (looks >= LOOKS_OF_WRITERS && LOG_WRITERS.includes(stat.name)) {
        say(`${stat.name} (pid ${stat.pid}) was stopped by a signal: it is continued.`);
        proceed(stat.pid);
      }
  }

  function troubles(): readonly KeeperTrouble[] {
    const stopped = [...seen.values()].filter(({ looks }) => looks >= LOOKS).map(({ stat }) => stat);
    if (stopped.length === 0) return [];
    const named = stopped.slice(0, MOST_NAMED).map(({ pid, name }) => `${name} (pid ${pid})`);
    const more = stopped.length > MOST_NAMED ? ` and ${plural(stopped.length - MOST_NAMED, "other")}` : "";
    const pids = stopped.map(({ pid }) => pid).join(" ");
    return [{ code: "process_stopped", detail: `${named.join(", ")}${more}. Try: kill -CONT ${pids}` }];
  }

  return { look, troubles };
}

/** Processes that runsv(8) started, and all below them. */
function familyOf(services: string): readonly Stat[] {
  const all = allPids().flatMap((pid) => statOf(pid) ?? []);
  const pids = SERVICES.flatMap((service) =>
    ["supervise", "log/supervise"].map((at) => textOrNothing(join(services, service, at, "pid")).trim()),
  );
  const roots = new Set(pids.filter((pid) => pid !== "").map(Number));
  return withDescendants(all, ({ pid }) => roots.has(pid));
}

/** Programs are starved if their waits, added up over all of them, take at least this share of the time. */
const STARVED = 0.5;

/**
 * Starts a measurement; the result tells whether the server's programs have waited for a processor since. While they
 * do, as under a flood or beside other programs, a part may be silent only because it got no processor time.
 */
export function measureStarvation(services: string): () => boolean {
  const waitsOf = (): ReadonlyMap<string, number> =>
    new Map(familyOf(services).map((stat) => [keyOf(stat), waitedMs(stat)]));
  const [before, from] = [waitsOf(), performance.now()];
  return () => {
    const added = [...waitsOf()].map(([key, waited]) => waited - (before.get(key) ?? 0));
    return added.reduce((sum, waited) => sum + waited, 0) >= (performance.now() - from) * STARVED;
  };
}

/** How long its main thread has been runnable without a processor: the second field of schedstat (proc(5)), there in nanoseconds. */
function waitedMs({ pid }: Stat): number {
  return Number(textOrNothing(`/proc/${pid}/schedstat`).split(" ")[1] ?? 0) / 1e6;
}

/** Includes the start time, because the pid may later belong to a different process. */
function keyOf({ pid, startedAt }: Stat): string {
  return `${pid} ${startedAt}`;
}
