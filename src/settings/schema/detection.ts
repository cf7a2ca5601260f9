import { JAILS, type Jail, type JailName, OWN_JAIL } from "../../core/decide/jails.ts";
import { DAY_MS, formatDuration, SECOND_MS } from "../../core/time.ts";
import { duration, flag, wholeNumber } from "../kinds/kind.ts";
import { path } from "../kinds/texts.ts";
import { byDefault, optional, type Setting } from "../setting.ts";

/** As far back as the guard remembers reports. */
const LONGEST_WINDOW_MS = 7 * DAY_MS;
/** As many offences as a report of Fail2ban's action can hold. */
const count = wholeNumber(1, 100);

/** Detectors of intrusions, whose logs the guard follows. */
export const detection = {
  "detection.suricata.file": optional(path).says(
    "Suricata's eve.json; empty: it is not followed. The user ghostinbox must be able to read it and its directory.",
  ),
  "detection.suricata.severity": byDefault(2, wholeNumber(1, 4)).says(
    "Alerts of this or a higher severity count; 1 is the most severe.",
    { source: "docs.suricata.io, classtype and priority" },
  ),
  "detection.suricata.maxretry": byDefault(3, count).says(
    "How many alerts about one address within `findtime` cause a ban.",
  ),
  "detection.suricata.findtime": byDefault("10m", duration(SECOND_MS, LONGEST_WINDOW_MS)).says(
    "How long an alert counts.",
  ),
  "detection.suricata.bantime": byDefault("30m", duration(SECOND_MS)).says(
    "How long the first ban for such alerts lasts.",
  ),
  "detection.psad.file": optional(path).says(
    "File with psad's lines; empty: it is not followed. The user ghostinbox must be able to read it and its directory.",
  ),
  "detection.psad.danger_level": byDefault(3, wholeNumber(1, 5)).says(
    "Scans of this danger level and above are recorded.",
    { source: "psad(8)" },
  ),
  "detection.psad.bans": byDefault(false, flag).says(
    "Whether scans ban too. The addresses of a port scan can be forged, so a stranger could then have any address banned that is neither known nor allowed.",
  ),
  "detection.psad.maxretry": byDefault(1, count).says(
    "How many lines about one address within `findtime` cause a ban, if scans ban.",
  ),
  "detection.psad.findtime": byDefault("10m", duration(SECOND_MS, LONGEST_WINDOW_MS)).says("How long a line counts."),
  "detection.psad.bantime": byDefault("30m", duration(SECOND_MS)).says("How long the first ban for a scan lasts."),
} as const satisfies Record<string, Setting<unknown>>;

const enabled: Setting<boolean> = byDefault(true, flag).says("Whether this jail watches its log.", {
  source: "jail.conf(5), enabled",
});

type JailSettings = Readonly<Record<`fail2ban.jails.${JailName}.enabled`, Setting<boolean>>> &
  Readonly<Record<`fail2ban.jails.${JailName}.${"maxretry" | "findtime" | "bantime"}`, Setting<number>>>;

const JAIL_REPORTS = "the jail reports. `fail2ban.sentences` sets whether the report bans.";

/** The jails in the words of jail.conf(5), with their values from the table of jails as defaults. */
export const jails = {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- TypeScript does not follow composed names
  ...(Object.fromEntries(
    JAILS.flatMap((jail) => [
      [`fail2ban.jails.${jail.name}.enabled`, enabled],
      [`fail2ban.jails.${jail.name}.maxretry`, maxretry(jail, JAIL_REPORTS)],
      [`fail2ban.jails.${jail.name}.findtime`, findtime(jail)],
      [`fail2ban.jails.${jail.name}.bantime`, bantime(jail)],
    ]),
  ) as JailSettings),
  "fail2ban.own_filters.maxretry": maxretry(OWN_JAIL, "each jail of your own filters reports."),
  "fail2ban.own_filters.findtime": findtime(OWN_JAIL),
  "fail2ban.own_filters.bantime": bantime(OWN_JAIL),
} as const satisfies Record<string, Setting<unknown>>;

function maxretry({ limit }: Pick<Jail, "limit">, reports: string): Setting<number> {
  return byDefault(limit, count).says(
    `How many offences of one address within \`findtime\` it takes until ${reports}`,
    { source: "jail.conf(5), maxretry" },
  );
}

function findtime({ windowMs }: Pick<Jail, "windowMs">): Setting<number> {
  return byDefault(formatDuration(windowMs), duration(SECOND_MS, LONGEST_WINDOW_MS)).says(
    "How long an offence counts.",
    { source: "jail.conf(5), findtime" },
  );
}

function bantime({ banMs }: Pick<Jail, "banMs">): Setting<number> {
  return byDefault(formatDuration(banMs), duration(SECOND_MS)).says("How long the first ban for such a report lasts.", {
    source: "jail.conf(5), bantime",
  });
}
