import type { Settings } from "../settings/schema.ts";
import { readPsad } from "../wire/detectors/psad.ts";
import { readSuricata } from "../wire/detectors/suricata.ts";
import type { Detector } from "./detector-watch.ts";

/** The detectors whose log the settings name. */
export function detectorsOf(settings: Settings): readonly Detector[] {
  const severity = settings["detection.suricata.severity"];
  const dangerLevel = settings["detection.psad.danger_level"];
  const detectors: readonly Detector[] = [
    {
      name: "ids:suricata",
      file: settings["detection.suricata.file"],
      limit: settings["detection.suricata.maxretry"],
      windowMs: settings["detection.suricata.findtime"],
      banMs: settings["detection.suricata.bantime"],
      read: (line) => readSuricata(line, severity),
    },
    {
      name: "ids:psad",
      file: settings["detection.psad.file"],
      limit: settings["detection.psad.maxretry"],
      windowMs: settings["detection.psad.findtime"],
      banMs: settings["detection.psad.bantime"],
      read: (line, now) => readPsad(line, dangerLevel, now),
    },
  ];
  return detectors.filter(({ file }) => file !== "");
}
