import { DAY_MS } from "../../core/time.ts";
import { orEmpty } from "../kinds/lists.ts";
import { duration, flag, wholeNumber } from "../kinds/plain.ts";
import { path, repository } from "../kinds/texts.ts";
import type { Setting } from "../setting.ts";

/** What is backed up, when, and where to. */
export const backup = {
  "backup.enabled": { kind: flag, byDefault: true, says: "Back up mail, accounts, settings and keys every night." },
  "backup.hour": {
    kind: wholeNumber(0, 23),
    byDefault: 3,
    says: "Hour of the day when the backup starts, in the machine's time zone.",
  },
  "backup.repository": {
    kind: orEmpty(repository),
    byDefault: "",
    says: "Where backups go: a directory such as another disk, or a server such as `sftp:user@host:/path` or `s3:https://host/bucket`. Empty means `backup/repository` in the data directory, which does not survive the loss of the disk.",
    source: "restic(1)",
    secret: true,
    showsPaths: true,
  },
  "backup.environment_file": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File with the credentials for `backup.repository`, one `NAME=value` on each line, such as `AWS_ACCESS_KEY_ID=…`. Only root should be able to read it.",
    source: "restic(1)",
  },
  "backup.keep": {
    kind: duration(DAY_MS),
    byDefault: "30d",
    says: "How long a backup is kept.",
  },
  "backup.drill_every": {
    kind: duration(DAY_MS),
    byDefault: "30d",
    says: "How often the newest backup is restored beside the server, checked and removed again, after the night's backup.",
  },
} as const satisfies Record<string, Setting<unknown>>;
