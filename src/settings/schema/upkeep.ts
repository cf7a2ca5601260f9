import { DAY_MS } from "../../core/time.ts";
import { duration, flag, listOf, oneOf, port, wholeNumber } from "../kinds/kind.ts";
import { hostOrAddress, keepRule, path, repository } from "../kinds/texts.ts";
import { byDefault, optional, type Setting } from "../setting.ts";

/** What is backed up, when, and where to. */
export const backup = {
  "backup.enabled": byDefault(true, flag).says("Back up mail, accounts, settings and keys every night."),
  "backup.hour": byDefault(3, wholeNumber(0, 23)).says(
    "Hour of the day when the backup starts, in the machine's time zone.",
  ),
  "backup.repository": optional(repository).says(
    "Where backups go: a directory such as another disk, or a server such as `sftp:user@host:/path` or `s3:https://host/bucket`. Empty means `backup/repository` in the data directory, which does not survive the loss of the disk.",
    { source: "restic(1)", secret: true, showsPaths: true },
  ),
  "backup.environment_file": optional(path).says(
    "File with the credentials for `backup.repository`, one `NAME=value` on each line, such as `AWS_ACCESS_KEY_ID=…`. Only root should be able to read it.",
    { source: "restic(1)" },
  ),
  "backup.keep": byDefault("30d", duration(DAY_MS)).says("How long a backup is kept."),
  "backup.drill_every": byDefault("30d", duration(DAY_MS)).says(
    "How often the newest backup is restored beside the server, checked and removed again, after the night's backup.",
  ),
} as const satisfies Record<string, Setting<unknown>>;

/** How long mail is kept. `events.max_age` and `logs.keep` do so for its records. */
export const retention = {
  "retention.mail": byDefault(["Junk 30d", "Trash 30d"], listOf(keepRule, 1_000)).says(
    "How long mail stays in a folder, counted from its arrival there: `FOLDER TIME`, or `ADDRESS FOLDER TIME` for one account. `*` means every folder, `forever` no limit. A folder includes those below it. A folder without a rule keeps its mail.",
    { source: "doveadm-search-query(7), savedbefore" },
  ),
  "retention.hour": byDefault(2, wholeNumber(0, 23)).says(
    "Hour of the day in which mail that was kept long enough is removed, in the machine's time zone.",
  ),
} as const satisfies Record<string, Setting<unknown>>;

/** When the owner gets a report by mail. */
export const report = {
  "report.mail": byDefault("weekly", oneOf("weekly", "monthly", "off")).says(
    "How often a report is mailed to those who get alerts by mail, otherwise to the administrator: on Mondays, on the first day of each month, or never.",
  ),
  "report.hour": byDefault(7, wholeNumber(0, 23)).says(
    "Hour of the day from which a report is mailed, in the machine's time zone.",
  ),
} as const satisfies Record<string, Setting<unknown>>;

/** Where the events are sent in addition to the database. */
export const exported = {
  "export.syslog.enabled": byDefault(false, flag).says(
    "Send each event to another machine as a syslog message over TLS. It takes effect at the next start.",
    { source: "RFC 5424" },
  ),
  "export.syslog.host": optional(hostOrAddress).says("Name or address of the receiver. Its certificate must name it."),
  "export.syslog.port": byDefault(6514, port).says("Port of the receiver.", { source: "RFC 5425 section 4.1" }),
  "export.syslog.protocol": byDefault("relp", oneOf("relp", "tls")).says(
    "How events are sent. `relp`: the receiver confirms each event. `tls`: plain syslog over TLS, without confirmation, for receivers that do not support RELP.",
    { source: "RFC 5425" },
  ),
  "export.syslog.ca": optional(path).says(
    "File of certificate authorities (PEM) that may sign the receiver's certificate; empty means the public ones. The user ghostinbox-export must be able to read it.",
  ),
  "export.syslog.cert": optional(path).says(
    "Certificate (PEM) with which this server identifies itself to the receiver; empty means none. The user ghostinbox-export must be able to read it.",
  ),
  "export.syslog.key": optional(path).says(
    "Private key of `export.syslog.cert` (PEM). The user ghostinbox-export must be able to read it.",
  ),
} as const satisfies Record<string, Setting<unknown>>;
