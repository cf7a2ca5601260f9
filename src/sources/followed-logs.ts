import type { Millis } from "../core/time.ts";
import { REFUSED_AS_SPAM } from "../render/content/content-services.ts";
import { type Layout, serviceLog } from "../settings/layout.ts";
import type { Settings } from "../settings/schema.ts";
import { readMailLog } from "../wire/logs/mail-log.ts";
import { SpamdLog } from "../wire/logs/spamd-log.ts";
import type { FollowedLog } from "./watch-logs.ts";

/** The logs that the guard follows, and the reader of each. */
export function followedLogs(layout: Layout, settings: Settings, guardSince: Millis): readonly FollowedLog[] {
  const scores = new SpamdLog();
  const mail = { spamReply: REFUSED_AS_SPAM, guardSince };
  return [
    { name: "mail", file: layout.mailLog, shared: true, read: (line) => readMailLog(line, mail) },
    ...(settings["spam.enabled"]
      ? [{ name: "spamd", file: serviceLog(layout, "spamd"), shared: false, read: (line: string) => scores.read(line) }]
      : []),
  ];
}
