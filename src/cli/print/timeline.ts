import { dayAndTime } from "../../core/shown.ts";
import { plural } from "../../core/text.ts";
import type { AccountReport, MessageReport, TimelineStep } from "../../wire/control/items.ts";
import { PROGRAM } from "../call.ts";
import { columns, oneLine } from "./text.ts";

const MOST_STEPS = 20;
const LONGEST_VALUE = 40;
/** Other mails, by their queue ids. */
const MOST_NAMED = 10;

/** Each setting as written in `ghostinbox.toml`. */
export type SettingsInForce = ReadonlyMap<string, string>;

/** Empty if nothing happened. `more`: the command that shows the rest, if there is any. */
export function printTimeline(timeline: readonly TimelineStep[], more: string): string {
  if (timeline.length === 0) return "";
  const latest = timeline.slice(-MOST_STEPS);
  const rest = timeline.length > latest.length ? `\n  All of them: ${more}` : "";
  return `What happened (latest last):\n${table(latest)}${rest}`;
}

function table(steps: readonly TimelineStep[]): string {
  const rows = steps.map((step) => [
    `  ${dayAndTime(step.at)}`,
    step.source,
    step.type,
    step.account ?? "",
    withCode(step.meaning, step.reason),
    [step.details, step.evidence].filter((part) => part !== "").join("; "),
  ]);
  return columns(rows);
}

/** A sentence with its reason code, which leads to the deciding line in the source. */
export function withCode(sentence: string, code: string | null): string {
  return code === null ? sentence : `${sentence} [${code}]`;
}

/** Each reason once: what lifts it, and its settings with their values. Empty if nothing needs fixing. */
export function printRemedies(timeline: readonly TimelineStep[], inForce: SettingsInForce): string {
  const byReason = Map.groupBy(timeline, ({ reason }) => reason);
  const lines = [...byReason].flatMap(([reason, steps]) => {
    const [{ meaning, lift } = { meaning: "", lift: null }] = steps;
    const settings = settingsOf(steps).map((key) => withValue(key, inForce));
    if (reason === null || (lift === null && settings.length === 0)) return [];
    const parts_ = [
      withCode(meaning, reason),
      lift ?? "",
      settings.length === 0 ? "" : `Set by ${settings.join(", ")}.`,
    ];
    return [`  ${parts_.filter((part) => part !== "").join(" ")}`];
  });
  return lines.length === 0 ? "" : `What lifts or prevents it:\n${lines.join("\n")}`;
}

/** The limits of steps that their numbers identify; otherwise all settings that may apply. */
function settingsOf(steps: readonly TimelineStep[]): readonly string[] {
  const exact = steps.filter(({ evidence }) => evidence !== "");
  return [...new Set((exact.length === 0 ? steps : exact).flatMap(({ settings }) => settings))];
}

function withValue(key: string, inForce: SettingsInForce): string {
  const value = inForce.get(key);
  return value === undefined || value.length > LONGEST_VALUE ? key : `${key} = ${value}`;
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
  return parts([
    complete
      ? `${name}: ${plural(timeline.length, "event")}.`
      : `${name}: the latest ${plural(timeline.length, "event")}. There are older ones: ${PROGRAM} events --account ${name}`,
    rows.length === 0 ? "" : `Sign-ins (latest first):\n${columns(rows)}`,
    earlier.length === 0 ? "" : `Earlier, by the account itself or about it (latest last):\n${table(earlier)}`,
    printTimeline(timeline, `${PROGRAM} why --account ${name} --json`),
    printRemedies(timeline, inForce),
  ]);
}

export function printMessage(
  { asked, queueIds, messageIds, otherQueueIds, complete, timeline }: MessageReport,
  inForce: SettingsInForce,
): string {
  if (timeline.length === 0) return `Nothing is known about ${oneLine(asked)}.`;
  const end = timeline.findLast(({ type }) => ENDINGS.has(type)) ?? null;
  return parts([
    [
      `Outcome: ${end === null ? "none yet" : outcomeOf(end)}`,
      `Message-ID: ${messageIds.map(oneLine).join(", ") || "not known"}`,
      `Queue id: ${queueIds.join(", ") || "none: it was never queued"}`,
    ].join("\n"),
    others(otherQueueIds),
    complete ? "" : "There is more: only the newest events are shown.",
    printTimeline(timeline, `${PROGRAM} why --message ${queueIds[0] ?? "ID"} --json`),
    printRemedies(timeline, inForce),
  ]);
}

/** The mail's latest event, and why. */
function outcomeOf({ action, meaning, reason, details }: TimelineStep): string {
  const why = reason === null ? "" : `: ${withCode(meaning, reason)}`;
  return `${action}${why} (${oneLine(details)})`;
}

function others(queueIds: readonly string[]): string {
  if (queueIds.length === 0) return "";
  const rest = queueIds.length - MOST_NAMED;
  const named = queueIds.slice(0, MOST_NAMED).join(", ") + (rest > 0 ? ` and ${rest} more (--json)` : "");
  return `Other mails have the same Message-ID: ${named}\n  See one: ${PROGRAM} why --message ${queueIds[0]}`;
}

const ENDINGS: ReadonlySet<string> = new Set([
  "EMAIL_DELIVERED",
  "EMAIL_DELAYED",
  "EMAIL_BOUNCED",
  "BOUNCE_WITHHELD",
  "EMAIL_BLOCKED",
  "EMAIL_DEFERRED",
  "EMAIL_HELD",
]);

export function parts(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join("\n\n");
}
