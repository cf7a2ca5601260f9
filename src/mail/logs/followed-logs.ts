import type { Observation } from "../../core/events/log.ts";
import type { Millis } from "../../core/time.ts";
import type { Engine } from "../../guard/engine.ts";
import type { Clock, Log } from "../../guard/ports.ts";
import type { LogPositions } from "../../guard/storage-ports.ts";
import { type Layout, serviceLog } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { SpamdLog } from "./content-filter-log.ts";
import { LogFollower, type TakeLines, WRITERS_CHANGE_OVER_MS } from "./log-follower.ts";
import { readMailLog } from "./mail-log.ts";

/** A log, and what takes its lines. */
export type FollowedLog = Readonly<{
  /** The name under which the database stores the position. */
  name: string;
  file: string;
  /** Whether more than one program writes it (log-follower.ts). */
  shared: boolean;
  take: TakeLines;
}>;

/** Follows logs from their stored positions: each line exactly once, through rotation, truncation and kills. */
export function createLogFollowers(
  logs: readonly FollowedLog[],
  { positions, log }: Readonly<{ positions: LogPositions; log: Log }>,
) {
  const followers = logs.map(
    ({ name, file, shared, take }) =>
      new LogFollower({
        file,
        from: positions.positionOf(name),
        take,
        failed: (why) => log.warn("A log cannot be read; retrying.", { log: file, why }),
        lingerMs: shared ? WRITERS_CHANGE_OVER_MS : 0,
      }),
  );
  return {
    start: () => followers.forEach((follower) => follower.start()),
    stop: () => Promise.all(followers.map((follower) => follower.stop())),
    /** Why logs cannot be read, by file. */
    failing: (): ReadonlyMap<string, string> =>
      new Map(followers.flatMap(({ file, failing }) => (failing === null ? [] : [[file, failing]]))),
  };
}

/** A log and the reader of its lines, which returns null for most of them. */
type ObservedLog = Omit<FollowedLog, "take"> & Readonly<{ read: (line: string) => Observation | null }>;

/** Turns the lines of logs into events. */
export function observing(engine: Engine, logs: readonly ObservedLog[]): readonly FollowedLog[] {
  return logs.map(({ read, ...log }) => ({
    ...log,
    take: (lines, position) => {
      const seen = lines.map(read).filter((one) => one !== null);
      return engine.observe(log.name, position, seen.filter(isNotRepeated()));
    },
  }));
}

/** Keeps one MAIL_QUEUED of each mail in a batch, because cleanup(8) logs every Message-ID field, and one header holds up to 700,000. */
function isNotRepeated(): (seen: Observation) => boolean {
  const queued = new Set<string>();
  return (seen) => seen.type !== "MAIL_QUEUED" || queued.size < queued.add(seen.queueId).size;
}

/** The logs whose lines become observations: mail.log, and spamd's while the spam filter is on. */
export function observedLogs(
  layout: Layout,
  settings: Settings,
  guardSince: Millis,
  clock: Clock,
): readonly ObservedLog[] {
  const scores = new SpamdLog();
  return [
    { name: "mail", file: layout.mailLog, shared: true, read: (line) => readMailLog(line, guardSince, clock.now()) },
    ...(settings["spam.enabled"]
      ? [{ name: "spamd", file: serviceLog(layout, "spamd"), shared: false, read: (line: string) => scores.read(line) }]
      : []),
  ];
}
