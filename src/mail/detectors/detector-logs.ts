import type { DetectorName } from "../../core/decide/jails.ts";
import type { JailReported } from "../../core/events/report.ts";
import type { Ip } from "../../core/net/ip.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import type { Engine } from "../../guard/engine.ts";
import type { Clock, Log, Notices } from "../../guard/ports.ts";
import type { Settings } from "../../settings/schema.ts";
import { MOST_LINES } from "../fail2ban/jail-report.ts";
import type { FollowedLog } from "../logs/followed-logs.ts";
import { type Alert, readPsad, readSuricata } from "./intrusion-alerts.ts";

/** An intrusion detector whose log is followed. */
export type Detector = Readonly<{
  name: DetectorName;
  file: string;
  /** This many alerts about one address within `windowMs` are an offence, which first bans the address for `banMs`. */
  limit: number;
  windowMs: number;
  banMs: number;
  read: (line: string, now: Millis) => Alert | null;
}>;

type Parts = Readonly<{ engine: Engine; clock: Clock; log: Log }>;

/** Maximum addresses per check. More at once are forged, or part of a storm in which single addresses do not matter. */
const MOST_ADDRESSES = 200;

/**
 * Follows the logs of detectors and turns their alerts into reports, one per address and check. A report is decided on before the position
 * moves. After a kill in between, the report comes again, and the decision recognizes its alerts by their time.
 */
export function detectorLogs(detectors: readonly Detector[], { engine, clock, log }: Parts): readonly FollowedLog[] {
  return detectors.map((detector) => ({
    name: detector.name,
    file: detector.file,
    // A rotation renames the file first and then notifies its writer.
    shared: true,
    take: async (lines, position) => {
      const now = clock.now();
      const alerts = lines.flatMap((line) => detector.read(line, now) ?? []);
      const byAddress = [...Map.groupBy(alerts, ({ ip }) => ip)];
      if (byAddress.length > MOST_ADDRESSES)
        log.warn("A detector reports many addresses at once; only some are recorded.", {
          detector: detector.name,
          addresses: byAddress.length,
        });
      for (const [ip, found] of byAddress.slice(0, MOST_ADDRESSES)) {
        const { reason } = await engine.ask(reportOf(detector, ip, found.slice(-MOST_LINES), now));
        if (reason === "not_recorded") return false;
      }
      return engine.observe(detector.name, position, []);
    },
  }));
}

/** Rotating a log takes less. rsyslog creates psad's only at its first line, so docs/intrusion-detection.md creates it earlier. */
const GRACE_MS = 5 * MINUTE_MS;

/** Raises a notice about each log that has been unreadable for a while. Call `look` every few seconds. `failing`: the reasons by file. */
export function createUnreadWatch(failing: () => ReadonlyMap<string, string>, clock: Clock, notices: Notices) {
  let since: ReadonlyMap<string, Millis> = new Map();
  return {
    look: (): void => {
      const now = clock.now();
      const all = [...failing()].map(([file, why]) => ({ file, why, at: since.get(file) ?? now }));
      since = new Map(all.map(({ file, at }) => [file, at]));
      const overdue = all.flatMap(({ why, at }) => (now - at >= GRACE_MS ? [why] : []));
      notices.set("detector_unread", overdue.length > 0 ? overdue.join("; ") : null);
    },
  };
}

/** Replaces times later than now, which come from a clock that is not trusted. */
function reportOf(
  { name, limit, windowMs, banMs }: Detector,
  ip: Ip,
  alerts: readonly Alert[],
  now: Millis,
): JailReported {
  const lines = alerts.map(({ text, at }) => ({ text, at: at < now ? at : now, about: "log" as const }));
  const lastAt = lines.reduce((last, { at }) => (at > last ? at : last), lines[0]?.at ?? now);
  return {
    type: "JAIL_REPORTED",
    ip,
    jail: name,
    failures: lines.length,
    limit,
    windowMs,
    banMs,
    lastAt,
    clientName: null,
    lines,
  };
}

/** The detectors whose log the settings name. */
export function detectorsOf(settings: Settings): readonly Detector[] {
  const severity = settings["detection.suricata.severity"];
  const dangerLevel = settings["detection.psad.danger_level"];
  const detector = (name: "suricata" | "psad", read: Detector["read"]): Detector => ({
    name: `ids:${name}`,
    file: settings[`detection.${name}.file`],
    limit: settings[`detection.${name}.maxretry`],
    windowMs: settings[`detection.${name}.findtime`],
    banMs: settings[`detection.${name}.bantime`],
    read,
  });
  return [
    detector("suricata", (line) => readSuricata(line, severity)),
    detector("psad", (line, now) => readPsad(line, dangerLevel, now)),
  ].filter(({ file }) => file !== "");
}
