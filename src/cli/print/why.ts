import { type Protection, reasons } from "../../core/events/reasons.ts";
import { contains, type Ip, LOOPBACK, type Prefix } from "../../core/net/ip.ts";
import { dayAndTime, shown, span, until } from "../../core/shown.ts";
import { plural } from "../../core/text.ts";
import { formatDuration } from "../../core/time.ts";
import type { AddressStory, TimelineStep } from "../../wire/control/items.ts";
import type { BanItem } from "../../wire/verbs/bans.ts";
import { PROGRAM } from "../call.ts";
import { columns, oneLine, ordinal } from "./text.ts";
import { parts, printRemedies, printTimeline, type SettingsInForce, withCode } from "./timeline.ts";

/** The subject of `why`. */
export type WhySubject = Readonly<{
  ip: Ip;
  report: AddressStory;
  /** The guard's answer about what protects it; `unknown` if the guard did not answer. */
  protection: Protection | "unknown" | null;
  /** The network of `allow.networks` in the settings that covers it. */
  listedInSettings: Prefix | null;
  memoryMs: number;
  nowMs: number;
  inForce: SettingsInForce;
}>;

/** In plain words: the state, the reason with its numbers, the events, and the command that changes it. */
export function printWhy(subject: WhySubject): string {
  const { timeline } = subject.report;
  return parts([
    state(subject),
    protections(subject),
    known(subject),
    past(subject),
    printTimeline(timeline, `${PROGRAM} events --ip ${subject.ip}`),
    printRemedies(timeline, subject.inForce),
  ]);
}

const GREYLISTED: ReadonlySet<string> = new Set(["greylist_asked", "first_contacts_deferred"]);

/** The command to type next. */
export function nextAfterWhy({ ip, report, protection, listedInSettings }: WhySubject): string {
  if (report.ban !== null) return `${PROGRAM} unban ${shown(report.ban.prefix)}  # lifts the ban`;
  if (report.allowed !== null)
    return `${PROGRAM} allow remove ${report.allowed.prefix}  # removes it from the allow list`;
  // The guard would refuse to ban it.
  const isProtected =
    LOOPBACK.some((own) => contains(own, ip)) ||
    listedInSettings !== null ||
    (protection !== null && protection !== "unknown");
  if (isProtected) return `${PROGRAM} events --ip ${ip}`;
  if (report.events.length === 0) return `${PROGRAM} events`;
  // Its mail had to be sent again, like any stranger's: no reason for a ban.
  if (report.offencesInMemory === 0 && report.events.some(({ reason }) => GREYLISTED.has(reason ?? "")))
    return `${PROGRAM} greylist waiting  # lists mail that was not sent again`;
  return `${PROGRAM} ban ${ip} REASON  # bans it`;
}

function state(subject: WhySubject): string {
  const { ip, report, nowMs } = subject;
  const { ban } = report;
  if (ban === null)
    return isUnknown(subject) ? `${ip} is not banned: nothing is known about it.` : `${ip} is not banned.`;
  const covering = ban.prefix.startsWith(`${ip}/`) ? "" : ` as part of ${ban.prefix}`;
  const lines = [
    `${ip} is banned${covering} ${until(ban.expiresAt, nowMs)}.`,
    `Reason: ${withCode(`${sentence(ban.reason)}${numbers(ban, report.timeline)}`, ban.code)}`,
    `Since ${dayAndTime(ban.createdAt)}; ${offence(subject, ban)}`,
    `To lift it: ${PROGRAM} unban ${shown(ban.prefix)}`,
  ];
  return lines.join("\n");
}

function isUnknown({ report, protection, listedInSettings }: WhySubject): boolean {
  const { pastBans, allowed, knownAccounts, events: seen } = report;
  if (protection !== null || allowed !== null || listedInSettings !== null) return false;
  return [pastBans, knownAccounts, seen].every((list) => list.length === 0);
}

function offence({ memoryMs }: WhySubject, ban: BanItem): string {
  if (ban.offences === 0) return `banned by ${ban.source}, which does not make later bans longer.`;
  return `its ${ordinal(ban.offences)} offence within ${formatDuration(memoryMs)}, level ${ban.level}, found by ${ban.source}.`;
}

/** The ban's text may contain the numbers; otherwise the event that caused it does. */
function numbers(ban: BanItem, seen: readonly TimelineStep[]): string {
  if (/limit \d/.test(ban.reason)) return "";
  const step = seen.findLast(({ reason, evidence }) => reason === ban.code && evidence !== "");
  return step === undefined ? "" : ` It was ${step.evidence}.`;
}

function protections({ ip, report, protection, listedInSettings }: WhySubject): string {
  const lines: string[] = [];
  if (protection === "unknown")
    lines.push(`Whether anything else protects ${ip} is unknown: the guard does not answer.`);
  else if (protection !== null && protection !== "allow_listed") {
    const { says, next } = reasons[protection];
    const ever = PASSING.includes(protection) ? "is not banned just now" : "is never banned";
    lines.push(`${ip} ${ever}: ${withCode(says, protection)} ${next}`);
  }
  if (report.allowed !== null) {
    const { prefix, note, by, at, expiresAt } = report.allowed;
    const remark = note === "" ? "" : `, "${oneLine(note)}"`;
    lines.push(
      `It is on the allow list, so it is never banned: ${prefix}${remark}, added by ${by} on ${dayAndTime(at)}${expiresAt === null ? "" : `, until ${dayAndTime(expiresAt)}`}. [allow_listed]`,
    );
    lines.push(`To remove it: ${PROGRAM} allow remove ${prefix}`);
  }
  if (listedInSettings !== null)
    lines.push(
      `It is on the allow list of the settings, so it is never banned: allow.networks has ${listedInSettings}. [allow_listed]`,
    );
  return lines.join("\n");
}

/** Protections that end without a command. */
const PASSING: readonly Protection[] = ["admin_session", "all_clients"];

function known({ report }: WhySubject): string {
  if (report.knownAccounts.length === 0) return "";
  const rest = report.totals.knownAccounts - report.knownAccounts.length;
  const who = report.knownAccounts.map(oneLine).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
  return `Signed in from here: ${who}. So wrong passwords only slow it down, and never ban it.`;
}

function past({ report, memoryMs }: WhySubject): string {
  const { pastBans, offencesInMemory, totals } = report;
  if (pastBans.length === 0) return "";
  const rows = pastBans.map((ban) => [
    `  ${dayAndTime(ban.createdAt)}`,
    ending(ban),
    ban.level,
    withCode(ban.reason, ban.code),
  ]);
  const next = plural(offencesInMemory, "offence");
  const rest = totals.pastBans > pastBans.length ? `\n  and ${totals.pastBans - pastBans.length} older ones` : "";
  return `Earlier bans (${next} within ${formatDuration(memoryMs)} count towards the next):\n${columns(rows)}${rest}`;
}

const ENDINGS: Readonly<Record<string, string>> = { UNBAN: "lifted", BAN_EXPIRED: "ended", REPLACED: "replaced" };

function ending(ban: AddressStory["pastBans"][number]): string {
  const lasted = ban.endedAt === null ? "" : ` after ${span(Date.parse(ban.endedAt) - Date.parse(ban.createdAt))}`;
  return `${ENDINGS[ban.ended ?? ""] ?? "over"}${lasted}`;
}

function sentence(text: string): string {
  const line = oneLine(text);
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
