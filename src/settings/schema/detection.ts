import { DAY_MS, SECOND_MS } from "../../core/time.ts";
import { orEmpty } from "../kinds/lists.ts";
import { duration, flag, wholeNumber } from "../kinds/plain.ts";
import { path } from "../kinds/texts.ts";
import type { Setting } from "../setting.ts";

/** As far back as the guard remembers reports. */
const LONGEST_WINDOW_MS = 7 * DAY_MS;
const count = wholeNumber(1, 100);

/** Detectors of intrusions, whose logs the guard follows. */
export const detection = {
  "detection.suricata.file": {
    kind: orEmpty(path),
    byDefault: "",
    says: "Suricata's eve.json; empty: it is not followed. The user ghostinbox must be able to read it and its directory.",
  },
  "detection.suricata.severity": {
    kind: wholeNumber(1, 4),
    byDefault: 2,
    says: "Alerts of this severity and of more severe ones count; 1 is the most severe.",
    source: "docs.suricata.io, classtype and priority",
  },
  "detection.suricata.maxretry": {
    kind: count,
    byDefault: 3,
    says: "How many alerts about one address within `findtime` cause a ban.",
  },
  "detection.suricata.findtime": {
    kind: duration(SECOND_MS, LONGEST_WINDOW_MS),
    byDefault: "10m",
    says: "How long an alert counts.",
  },
  "detection.suricata.bantime": {
    kind: duration(SECOND_MS),
    byDefault: "30m",
    says: "How long the first ban for such alerts lasts.",
  },
  "detection.psad.file": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File with the lines of psad; empty: it is not followed. The user ghostinbox must be able to read it and its directory.",
  },
  "detection.psad.danger_level": {
    kind: wholeNumber(1, 5),
    byDefault: 3,
    says: "Scans of this danger level and above are recorded.",
    source: "psad(8)",
  },
  "detection.psad.bans": {
    kind: flag,
    byDefault: false,
    says: "Whether scans ban too. The addresses of a port scan can be forged, so a stranger could then have any address banned that is neither known nor allowed.",
  },
  "detection.psad.maxretry": {
    kind: count,
    byDefault: 1,
    says: "How many lines about one address within `findtime` cause a ban, if scans ban.",
  },
  "detection.psad.findtime": {
    kind: duration(SECOND_MS, LONGEST_WINDOW_MS),
    byDefault: "10m",
    says: "How long a line counts.",
  },
  "detection.psad.bantime": {
    kind: duration(SECOND_MS),
    byDefault: "30m",
    says: "How long the first ban for a scan lasts.",
  },
} as const satisfies Record<string, Setting<unknown>>;
