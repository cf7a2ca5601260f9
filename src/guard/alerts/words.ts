import { randomUUID } from "node:crypto";
import { endedByTime, nextSteps, SEVERITIES } from "../../core/alerts/alerts.ts";
import { type AlertLanguage, alertFrames, alertTextIn } from "../../core/alerts/frames.ts";
import { asSentence, printable } from "../../core/text.ts";
import { isoTime, type Millis } from "../../core/time.ts";
import type { Alert, AlertMessage } from "./ports.ts";

/** The text of every message. Text from strangers appears only in the detail and the subject. */

const LONGEST_SUBJECT = 120;
const LONGEST_DETAIL = 500;
/** Maximum alerts in one digest, so that no channel refuses it as too large. */
const MOST_IN_DIGEST = 50;

export function openedMessage({ code, subject, detail, openedAt }: Alert, language: AlertLanguage): AlertMessage {
  const text = alertTextIn(language, code);
  const { severity, says, matters } = text;
  const frame = alertFrames[language];
  return composed({ kind: "opened", at: openedAt, severity, code, subject, title: `${fact(says)}${about(subject)}` }, [
    `${frame.happened}: ${says} ${sentence(detail)}`,
    matters === "" ? "" : `${frame.matters}: ${matters}`,
    `${frame.toDo}: ${nextSteps(text, subject)}`,
  ]);
}

export function resolvedMessage(alert: Alert, language: AlertLanguage): AlertMessage {
  const { code, subject, detail, openedAt, resolvedAt, lastAt } = alert;
  const text = alertTextIn(language, code);
  const { severity, says } = text;
  const frame = alertFrames[language];
  const at = resolvedAt ?? lastAt;
  const byTime = endedByTime(code, at - openedAt);
  const title = `${byTime ? frame.noLonger : frame.resolved}: ${fact(says)}${about(subject)}`;
  return composed({ kind: "resolved", at, severity, code, subject, title }, [
    `${byTime ? frame.noLonger : frame.isOver}: ${says} ${sentence(detail)}`,
    frame.lasted(isoTime(openedAt), isoTime(lastAt)),
    `${frame.toDo}: ${byTime ? frame.unlessDone(nextSteps(text, subject)) : frame.nothing}`,
  ]);
}

/** `messages`: at least one. Lists the newest first, because a channel may cut off the end. */
export function digestMessage(messages: readonly AlertMessage[], at: Millis, language: AlertLanguage): AlertMessage {
  const frame = alertFrames[language];
  const shown = messages.slice(-MOST_IN_DIGEST).reverse();
  const critical = messages.filter(({ severity }) => severity === "critical").length;
  const severity = SEVERITIES.findLast((one) => messages.some((message) => message.severity === one)) ?? "info";
  const title = critical === 0 ? frame.waited(messages.length) : frame.together(messages.length, critical);
  return composed({ kind: "digest", at, severity, title }, [
    frame.newestFirst(MOST_IN_DIGEST),
    ...shown.map((one) => `${isoTime(one.at)} ${frame.weights[one.severity]}: ${one.title}\n${one.body}`),
  ]);
}

export function testMessage(at: Millis, language: AlertLanguage): AlertMessage {
  const frame = alertFrames[language];
  return composed({ kind: "test", at, severity: "info", title: frame.test }, [
    `${frame.happened}: ${frame.tested}`,
    `${frame.toDo}: ${frame.arrives}`,
  ]);
}

/** Shortens a text to this many bytes of UTF-8. Cuts between characters. */
export function textWithin(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const start = Buffer.from(text).subarray(0, Math.max(0, most - Buffer.byteLength("…")));
  // The decoder drops the incomplete character at the cut.
  return `${new TextDecoder().decode(start, { stream: true })}…`;
}

/** Without `code` and `subject`: not about a single alert. */
type MessageHead = Omit<AlertMessage, "id" | "body" | "code" | "subject"> &
  Partial<Pick<AlertMessage, "code" | "subject">>;

function composed({ code = null, subject = "", ...head }: MessageHead, paragraphs: readonly string[]): AlertMessage {
  return {
    id: `msg_${randomUUID().replaceAll("-", "")}`,
    ...head,
    code,
    subject: printable(subject, LONGEST_SUBJECT),
    body: paragraphs.filter((text) => text !== "").join("\n\n"),
  };
}

function about(subject: string): string {
  return subject === "" ? "" : ` (${printable(subject, LONGEST_SUBJECT)})`;
}

/** Up to the first colon or full stop: what follows explains it, and would be cut off on a phone. */
function fact(says: string): string {
  return says.replace(/[:.]( .*)?$/, "");
}

function sentence(detail: string): string {
  const shown = printable(detail, LONGEST_DETAIL);
  return shown === "" ? "" : asSentence(shown);
}
