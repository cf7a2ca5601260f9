import type { AccountReport, MessageReport, TimelineStep } from "../../wire/control/items.ts";
import { PROGRAM } from "../call.ts";
import { columns, dayAndTime, oneLine, plural } from "./text.ts";

const MOST_STEPS = 20;

/** Empty if nothing happened. `more`: the command that shows all of it, if this is not all. */
export function printTimeline(timeline: readonly TimelineStep[], more: string): string {
  if (timeline.length === 0) return "";
  const latest = timeline.slice(-MOST_STEPS);
  const rows = latest.map((step) => [
    `  ${dayAndTime(step.at)}`,
    step.source,
    step.type,
    step.account ?? "",
    step.meaning,
    [step.details, step.evidence].filter((part) => part !== "").join("; "),
  ]);
  const rest = timeline.length > latest.length ? `\n  All of them: ${more}` : "";
  return `What happened (latest last):\n${columns(rows)}${rest}`;
}

/** Each reason once: what lifts it, and the settings that would have prevented it. Empty if there is nothing to do. */
export function printRemedies(timeline: readonly TimelineStep[]): string {
  const steps = new Map(timeline.flatMap((step) => (step.reason === null ? [] : [[step.reason, step] as const])));
  const lines = [...steps.values()].flatMap(({ meaning, lift, settings }) => {
    if (lift === null && settings.length === 0) return [];
    const prevented = settings.length === 0 ? "" : ` Set by ${settings.join(", ")}.`;
    return [`  ${meaning} ${lift ?? ""}${prevented}`.replaceAll("  ", " ").replace(/^ /, "  ")];
  });
  return lines.length === 0 ? "" : `What lifts or prevents it:\n${lines.join("\n")}`;
}

export function printAccount({ account, addresses, timeline }: AccountReport): string {
  const name = oneLine(account);
  if (timeline.length === 0) return `Nothing is known about ${name}.`;
  const rows = addresses.map(({ ip, succeeded, failed, lastAt }) => [
    `  ${ip}`,
    `${succeeded} succeeded`,
    `${failed} failed or refused`,
    `last ${dayAndTime(lastAt)}`,
  ]);
  return parts([
    `${name}: ${plural(timeline.length, "event")}.`,
    rows.length === 0 ? "" : `Sign-ins (latest first):\n${columns(rows)}`,
    printTimeline(timeline, `${PROGRAM} why --account ${name} --json`),
    printRemedies(timeline),
  ]);
}

export function printMessage({ asked, queueIds, messageIds, timeline }: MessageReport): string {
  if (timeline.length === 0) return `Nothing is known about ${oneLine(asked)}.`;
  const end = timeline.findLast(({ type }) => ENDINGS.has(type)) ?? null;
  return parts([
    [
      `Message-ID: ${messageIds.map(oneLine).join(", ") || "not known"}`,
      `Queue id: ${queueIds.join(", ") || "none: it was never queued"}`,
      `Outcome: ${end === null ? "none yet" : `${end.action} (${oneLine(end.details)})`}`,
    ].join("\n"),
    printTimeline(timeline, `${PROGRAM} why --message ${queueIds[0] ?? "ID"} --json`),
    printRemedies(timeline),
  ]);
}

const ENDINGS: ReadonlySet<string> = new Set([
  "EMAIL_DELIVERED",
  "EMAIL_DELAYED",
  "EMAIL_BOUNCED",
  "BOUNCE_WITHHELD",
  "EMAIL_BLOCKED",
]);

export function parts(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join("\n\n");
}
