import type { BanItem } from "../../../admin/bans.ts";
import type { AccountReport, AddressStory, MessageReport, TimelineStep } from "../../../admin/declare/items.ts";
import { type Protection, reasons } from "../../../core/events/reasons.ts";
import { type Ip, isLoopback, type Prefix, printPrefix } from "../../../core/net/ip.ts";
import { asSentence, plural, quoted } from "../../../core/text.ts";
import { dayAndTime, formatDuration, span, until } from "../../../core/time.ts";
import { PROGRAM } from "../call.ts";
import { columns, joined, oneLine, ordinal } from "./text.ts";

const MOST_STEPS = 20;
const LONGEST_VALUE = 40;
/** Maximum other mails that are listed by queue id. */
const MOST_NAMED = 10;

/** Settings by key, as written in `ghostinbox.toml`. */
export type SettingsInForce = ReadonlyMap<string, string>;

/** Empty if nothing happened. `more`: the command that shows the rest, if there is any. */
function printTimeline(timeline: readonly TimelineStep[], more: string): string {
  if (timeline.length === 0) return "";
  const latest = timeline.slice(-MOST_STEPS);
  const rest = timeline.length > latest.length ? `\n  Earlier ones: ${more}` : "";
  return `What happened (latest last):\n${table(latest)}${rest}`;
}

function table(steps: readonly TimelineStep[]): string {
  const rows = steps.map((step) => [
    `  ${dayAndTime(step.at)}`,
    step.source,
    step.type,
    step.account ?? "",
    withCode(step.meaning, step.reason),
    joined("; ", [step.details, step.evidence]),
  ]);
  return columns(rows);
}

/** A sentence with its reason code, which leads to the deciding line in the source. */
function withCode(sentence: string, code: string | null): string {
  return code === null ? sentence : `${sentence} [${code}]`;
}

/** For each reason, what lifts it and the current values of its settings. Empty if nothing needs fixing. */
function printRemedies(timeline: readonly TimelineStep[], inForce: SettingsInForce): string {
  const byReason = Map.groupBy(timeline, ({ reason }) => reason);
  const lines = [...byReason].flatMap(([reason, steps]) => {
    // A mail that was accepted at its retry needs nothing, but another may still wait.
    const { meaning, lift } = steps.find((step) => step.lift !== null) ?? steps[0] ?? { meaning: "", lift: null };
    const settings = settingsOf(steps).map((key) => withValue(key, inForce));
    if (reason === null || (lift === null && settings.length === 0)) return [];
    const setBy = settings.length > 0 && `Set by ${settings.join(", ")}.`;
    return [`  ${joined(" ", [withCode(meaning, reason), lift, setBy])}`];
  });
  return lines.length === 0 ? "" : `What lifts or prevents it:\n${lines.join("\n")}`;
}

/** The limits that the numbers of the steps identify; otherwise all settings that may apply. */
function settingsOf(steps: readonly TimelineStep[]): readonly string[] {
  const exact = steps.filter(({ evidence }) => evidence !== "");
  return [...new Set((exact.length === 0 ? steps : exact).flatMap(({ settings }) => settings))];
}

function withValue(key: string, inForce: SettingsInForce): string {
  const value = inForce.get(key);
  return value === undefined || value.length > LONGEST_VALUE ? key : `${key} (now ${value})`;
}

export function printAccount(report: AccountReport, inForce: SettingsInForce): string {
  const { account, addresses, own, complete, timeline } = report;
  const name = oneLine(account);
  if (timeline.length === 0) return `Nothing is known about ${name}.`;
  const rows = addresses.map(({ ip, succeeded, failed, lastAt }) => [
    `  ${ip}`,
    `${succeeded} succeeded`,
    `${failed} failed or refused`,
    `last ${dayAndTime(lastAt)}`,
  ]);
  const shown = new Set(timeline.slice(-MOST_STEPS).map(({ id }) => id));
  const earlier = own.filter(({ id }) => !shown.has(id)).slice(-MOST_STEPS);
  return joined("\n\n", [
    complete
      ? `${name}: ${plural(timeline.length, "event")}.`
      : `${name}: the latest ${plural(timeline.length, "event")}. There are older ones: ${PROGRAM} events --account ${quoted(name)}`,
    rows.length > 0 && `Sign-ins (latest first):\n${columns(rows)}`,
    earlier.length > 0 && `Earlier, by the account itself or about it (latest last):\n${table(earlier)}`,
    printTimeline(timeline, `${PROGRAM} why --account ${quoted(name)} --json`),
    printRemedies(timeline, inForce),
  ]);
}

export function printMessage(
  { asked, queueIds, messageIds, otherQueueIds, complete, timeline }: MessageReport,
  inForce: SettingsInForce,
): string {
  if (timeline.length === 0) return `Nothing is known about ${oneLine(asked)}.`;
  const end = timeline.findLast(({ type }) => MAIL_ENDINGS.has(type)) ?? null;
  return joined("\n\n", [
    [
      `Outcome: ${end === null ? "none recorded" : outcomeOf(end)}`,
      `Message-ID: ${messageIds.map(oneLine).join(", ") || "unknown"}`,
      `Queue id: ${queueIds.join(", ") || "none: it was never queued"}`,
    ].join("\n"),
    others(otherQueueIds),
    !complete && "There is more: only the newest events are shown.",
    printTimeline(timeline, `${PROGRAM} why --message ${queueIds[0] ?? quoted(oneLine(asked))} --json`),
    printRemedies(timeline, inForce),
  ]);
}

function outcomeOf({ type, action, meaning, reason, details }: TimelineStep): string {
  const why = reason === null ? "" : `: ${withCode(meaning, reason)}`;
  return `${MAIL_ENDINGS.get(type) ?? action}${why} (${oneLine(details)})`;
}

function others(queueIds: readonly string[]): string {
  if (queueIds.length === 0) return "";
  const rest = queueIds.length - MOST_NAMED;
  const named = queueIds.slice(0, MOST_NAMED).join(", ") + (rest > 0 ? ` and ${rest} more (--json)` : "");
  return `Other mails have the same Message-ID: ${named}\n  See one: ${PROGRAM} why --message ${queueIds[0]}`;
}

/** Events that end a mail's path or are an administrator's action, with their text; null if the event has one. */
const MAIL_ENDINGS: ReadonlyMap<string, string | null> = new Map([
  ["EMAIL_DELIVERED", null],
  ["EMAIL_DELAYED", null],
  ["EMAIL_BOUNCED", null],
  ["BOUNCE_WITHHELD", null],
  ["EMAIL_BLOCKED", null],
  ["EMAIL_DEFERRED", null],
  ["EMAIL_HELD", null],
  ["QUEUE_HELD", "put on hold by hand"],
  ["QUEUE_RELEASED", "released by hand"],
  ["QUEUE_DELETED", "deleted by hand"],
]);

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

/** Explains in plain words: the state, the reason with its numbers, the events, and the command that changes the state. */
export function printWhy(subject: WhySubject): string {
  const { timeline } = subject.report;
  return joined("\n\n", [
    state(subject),
    protections(subject),
    known(subject),
    past(subject),
    printTimeline(timeline, `${PROGRAM} events --ip ${subject.ip}`),
    printRemedies(timeline, subject.inForce),
  ]);
}

const GREYLISTED: ReadonlySet<string> = new Set(["greylist_asked", "first_contacts_deferred"]);
/** Reasons for which a client is refused that the allow list would admit. */
const ADMISSIBLE: ReadonlySet<string> = new Set(["block_listed", "sender_unknown", "dmarc_refused"]);

export function nextAfterWhy({ ip, report, protection, listedInSettings }: WhySubject): string {
  if (report.ban !== null) return `${PROGRAM} unban ${printPrefix(report.ban.prefix)}  # lifts the ban`;
  if (report.allowed !== null)
    return `${PROGRAM} allow remove ${report.allowed.prefix}  # removes it from the allow list`;
  // The guard would refuse to ban a protected address.
  const isProtected = isLoopback(ip) || listedInSettings !== null || (protection !== null && protection !== "unknown");
  if (isProtected) return `${PROGRAM} events --ip ${ip}`;
  if (report.events.length === 0) return `${PROGRAM} events`;
  // It may be an honest partner, which the owner should not ban.
  const latest = report.events.find(({ reason }) => reason !== null)?.reason ?? "";
  if (report.offencesInMemory === 0 && ADMISSIBLE.has(latest))
    return `${PROGRAM} allow add ${ip} NOTE  # admits it, if it is honest`;
  // Its mail was only greylisted, like any stranger's, which is no reason for a ban.
  if (report.offencesInMemory === 0 && report.events.some(({ reason }) => GREYLISTED.has(reason ?? "")))
    return `${PROGRAM} greylist waiting  # lists mail that has not come in since`;
  return `${PROGRAM} ban ${ip} REASON  # bans it`;
}

function state(subject: WhySubject): string {
  const { ip, report, nowMs, protection } = subject;
  const { ban } = report;
  if (ban === null)
    return isUnknown(subject) ? `${ip} is not banned: nothing is known about it.` : `${ip} is not banned.`;
  const covering = ban.prefix.startsWith(`${ip}/`) ? "" : ` as part of ${ban.prefix}`;
  if (protection === "allow_listed") {
    const end = until(ban.expiresAt, nowMs);
    if (covering !== "") return `${ip} is not banned, although its network ${ban.prefix} is banned ${end}.`;
    return `${ip} is not banned, because it is on the allow list. Without that, it is banned ${end}.`;
  }
  const lines = [
    `${ip} is banned${covering} ${until(ban.expiresAt, nowMs)}.`,
    `Reason: ${withCode(`${asSentence(oneLine(ban.reason))}${numbers(ban, report.timeline)}`, ban.code)}`,
    `Since ${dayAndTime(ban.createdAt)}; ${offence(subject, ban)}`,
    `To lift it: ${PROGRAM} unban ${printPrefix(ban.prefix)}`,
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

/** The numbers of the event that caused the ban, unless the ban's own text has them. */
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
  return `Signed in from here: ${who}.`;
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

const BAN_ENDINGS: Readonly<Record<string, string>> = { UNBAN: "lifted", BAN_EXPIRED: "ended", REPLACED: "replaced" };

function ending(ban: AddressStory["pastBans"][number]): string {
  const lasted = ban.endedAt === null ? "" : ` after ${span(Date.parse(ban.endedAt) - Date.parse(ban.createdAt))}`;
  return `${BAN_ENDINGS[ban.ended ?? ""] ?? "over"}${lasted}`;
}
