import type { Observation } from "../../core/events/log.ts";
import { CHECK_ADDRESS, PROBE_ADDRESS, parseIp } from "../../core/net/ip.ts";
import { type Millis, SECOND_MS } from "../../core/time.ts";
import { readMilterFinding, readMilterReject } from "./content-filter-log.ts";
import { type MailLine, parseMailLine, timeOfLine } from "./log-line.ts";
import { CLIENT, IN_PATH, LOG_PATTERNS, type LogPattern, PATH, QUEUE_ID } from "./patterns.ts";

/** Returns what the guard learns only from this line of mail.log; null for most. `guardSince`: since when it is asked about sign-ins. */
export function readMailLog(line: string, guardSince: Millis, now: Millis): Observation | null {
  const parsed = parseMailLine(line);
  if (parsed === null) return null;
  if (parsed.program === "cleanup")
    return (
      readQueued(parsed) ??
      readRefused(LOOPED, "MAIL_LOOPED", parsed) ??
      readMilterFinding(parsed.text) ??
      readMilterReject(parsed.text)
    );
  if (parsed.program === "qmgr") return readExpired(parsed);
  if (DELIVERY.has(parsed.program)) return readTried(parsed);
  const found = matchPattern(parsed);
  if (found === null) return parsed.program === "smtpd" ? readRefused(TOO_LARGE, "MAIL_TOO_LARGE", parsed) : null;
  const { pattern, groups } = found;
  const ip = parseIp(groups["ip"] ?? "");
  const { service } = parsed;
  // A probe that gave up, or a refused attempt of `check`, is not a client's failure.
  if (ip === null || ip === PROBE_ADDRESS || ip === CHECK_ADDRESS || service === null) return null;
  const times = Number(groups["tries"] ?? 1);
  if (pattern.reports !== "login_failed") {
    const { detail = "", owner: account = null, sender = null, recipient = null } = groups;
    const mail = { account, sender, recipient };
    return { type: "CLIENT_FAULT", ip, service, reason: pattern.reports, detail, times, ...mail };
  }
  const at = timeOfLine(line, now);
  const guardWasAsked = at === null || at + SECOND_MS > guardSince;
  return guardWasAsked ? null : { type: "LOGIN_UNSEEN", ip, service, login: groups["login"] ?? "", times };
}

/** The pattern that a line matches, and its groups; the first in the table wins. */
export function matchPattern(
  line: MailLine,
): Readonly<{ pattern: LogPattern; groups: Readonly<Record<string, string | undefined>> }> | null {
  for (const pattern of Object.values(LOG_PATTERNS.get(`${line.from}/${line.program}`) ?? {})) {
    if (pattern.port25 !== undefined && pattern.port25 !== (line.service === "smtp")) continue;
    const groups = pattern.matches.exec(line.text)?.groups;
    if (groups !== undefined) return { pattern, groups };
  }
  return null;
}

const DELIVERY: ReadonlySet<string> = new Set(["lmtp", "smtp", "error", "discard"]);
/** Here and below, `s`: a stranger may write line separators of Unicode (U+2028), which end no line. */
const QUEUED = new RegExp(`^${QUEUE_ID}: message-id=(?<message>.*)$`, "s");
/** Logged by cleanup(8) while the header arrives. */
const LOOPED = new RegExp(`^warning: ${QUEUE_ID}: message rejected: hopcount exceeded$`);
/** Logged by smtpd(8) if the client had not declared the mail's size. The guard is not asked at the end of such a mail. */
const TOO_LARGE = new RegExp(
  `^warning: (?!NOQUEUE:)${QUEUE_ID}: (?:queue file size limit exceeded|BDAT request from ${CLIENT} exceeds message size limit)$`,
);
/** `force-`: by postsuper(1) -e or -f. */
const EXPIRED = new RegExp(`^${QUEUE_ID}: from=${PATH}, status=(?<forced>force-)?expired, returned to sender$`);
/** The recipient may be quoted and contain brackets. The other side's answer comes last: Postfix cuts the line after 2,000 characters. */
const TRIED = new RegExp(
  `^${QUEUE_ID}: to=<(?<to>${IN_PATH})>, (?:orig_to=<(?<alias>${IN_PATH})>, )?` +
    "relay=(?<relay>[^,]{1,300}), (?:conn_use=\\d+, )?delay=[\\d.]+, delays=[\\d./]+, dsn=[\\d.]+, " +
    "status=(?<status>sent|deferred|bounced) \\((?<reply>.*?)\\)?$",
  "s",
);

/** `NAME[IP]:PORT`: a next hop comes from us or the DNS, and its name contains no bracket. */
const SERVER = /^[^\s[\]]+\[([0-9a-f.:]{2,45})\]:\d{1,5}$/;

function readQueued({ text }: MailLine): Observation | null {
  const { queue = "", message = "" } = QUEUED.exec(text)?.groups ?? {};
  return queue === "" ? null : { type: "MAIL_QUEUED", queueId: queue, messageId: message };
}

function readRefused(words: RegExp, type: "MAIL_LOOPED" | "MAIL_TOO_LARGE", { text }: MailLine): Observation | null {
  const { queue = "" } = words.exec(text)?.groups ?? {};
  return queue === "" ? null : { type, queueId: queue };
}

function readExpired({ text }: MailLine): Observation | null {
  const { queue = "", forced } = EXPIRED.exec(text)?.groups ?? {};
  if (queue === "") return null;
  return { type: "MAIL_EXPIRED", queueId: queue, outcome: forced === undefined ? "expired" : "returned" };
}

function readTried({ text, program }: MailLine): Observation | null {
  const groups = TRIED.exec(text)?.groups;
  const outcome = OUTCOMES.find((one) => one === groups?.["status"]);
  if (groups === undefined || outcome === undefined) return null;
  const relay = `${program} ${groups["relay"] ?? ""}`;
  return {
    type: "MAIL_TRIED",
    queueId: groups["queue"] ?? "",
    recipient: groups["to"] ?? "",
    alias: groups["alias"] ?? null,
    // Only withheld reports go to discard(8) (mail/postfix/bounces.ts).
    outcome: program === "discard" ? "withheld" : outcome,
    relay,
    reply: groups["reply"] ?? "",
    server: program === "smtp" ? parseIp(SERVER.exec(groups["relay"] ?? "")?.[1] ?? "") : null,
  };
}

const OUTCOMES = ["sent", "deferred", "bounced"] as const;
