import { randomUUID } from "node:crypto";
import { nextSteps, type Severity } from "../../core/alerts/alerts.ts";
import { ALERT_LANGUAGES, type AlertLanguage, alertFrames, alertTextIn } from "../../core/alerts/frames.ts";
import { printable } from "../../core/text.ts";
import { isoTime, type Millis } from "../../core/time.ts";
import type { Alert, AlertMessage } from "./ports.ts";

/** The text of every message. Text from strangers appears only in the detail and the subject. */

const LONGEST_SUBJECT = 120;
const LONGEST_DETAIL = 500;
/** Most alerts in one digest, so that no channel refuses it as too large. */
const MOST_IN_DIGEST = 50;

export function openedMessage({ code, subject, detail, openedAt }: Alert, language: AlertLanguage): AlertMessage {
  const text = alertTextIn(language, code);
  const { severity, says, matters } = text;
  const frame = alertFrames[language];
  return {
    id: newId(),
    kind: "opened",
    at: openedAt,
    severity,
    code,
    subject: printable(subject, LONGEST_SUBJECT),
    title: `${bare(says)}${about(subject)}`,
    body: paragraphs([
      `${frame.happened}: ${says} ${sentence(detail)}`,
      matters === "" ? "" : `${frame.matters}: ${matters}`,
      `${frame.toDo}: ${nextSteps(text, subject)}`,
    ]),
  };
}

export function resolvedMessage(
  { code, subject, detail, openedAt, resolvedAt, lastAt }: Alert,
  language: AlertLanguage,
): AlertMessage {
  const { severity, says } = alertTextIn(language, code);
  const frame = alertFrames[language];
  return {
    id: newId(),
    kind: "resolved",
    at: resolvedAt ?? lastAt,
    severity,
    code,
    subject: printable(subject, LONGEST_SUBJECT),
    title: `${frame.resolved}: ${bare(says)}${about(subject)}`,
    body: paragraphs([
      `${frame.isOver}: ${says} ${sentence(detail)}`,
      frame.lasted(isoTime(openedAt), isoTime(lastAt)),
      `${frame.toDo}: ${frame.nothing}`,
    ]),
  };
}

/** At least one message. */
export function digestMessage(messages: readonly AlertMessage[], at: Millis, language: AlertLanguage): AlertMessage {
  const frame = alertFrames[language];
  const shown = messages.slice(-MOST_IN_DIGEST);
  const left = messages.length - shown.length;
  const critical = messages.filter(({ severity }) => severity === "critical").length;
  return {
    id: newId(),
    kind: "digest",
    at,
    severity: worst(messages.map(({ severity }) => severity)),
    code: null,
    subject: "",
    title: critical === 0 ? frame.waited(messages.length) : frame.together(messages.length, critical),
    body: paragraphs([
      ...shown.map((one) => `${isoTime(one.at)} ${frame.weights[one.severity]}: ${one.title}\n${one.body}`),
      left === 0 ? "" : frame.more(left),
    ]),
  };
}

/** The body within this many bytes of UTF-8. A digest loses its oldest alerts; any other message loses its end. */
export function bodyWithin({ kind, body }: AlertMessage, most: number, language: AlertLanguage): string {
  const { more } = alertFrames[language];
  const before = Number(/\d+/.exec(MORE.exec(body)?.[0] ?? "")?.[0] ?? 0);
  const items = kind === "digest" ? body.replace(MORE, "").split(BETWEEN_ITEMS) : [];
  if (Buffer.byteLength(body) <= most || items.length < 2) return textWithin(body, most);
  for (let gone = 1; gone < items.length; gone++) {
    const cut = paragraphs([...items.slice(gone), more(before + gone)]);
    if (Buffer.byteLength(cut) <= most) return cut;
  }
  return textWithin(more(before + items.length), most);
}

/** Cuts between characters. */
export function textWithin(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const kept = Buffer.from(text).subarray(0, Math.max(0, most - Buffer.byteLength("…")));
  // The decoder drops the incomplete character at the cut.
  return `${new TextDecoder().decode(kept, { stream: true })}…`;
}

/** A digest may have been written before the language was changed. */
const FRAMES = ALERT_LANGUAGES.map((language) => alertFrames[language]);
const WEIGHTS = FRAMES.flatMap(({ weights }) => Object.values(weights)).join("|");
/** Between the alerts of a digest. Text from a stranger cannot imitate this, because it never starts a line. */
const BETWEEN_ITEMS = new RegExp(`\\n\\n(?=\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z (?:${WEIGHTS}): )`);
const MORE = new RegExp(
  `\\n\\n(?:${FRAMES.map(({ more }) => more(0).replace("0", "\\d+").replaceAll(".", "\\.")).join("|")})$`,
);

export function testMessage(at: Millis, language: AlertLanguage): AlertMessage {
  const frame = alertFrames[language];
  return {
    id: newId(),
    kind: "test",
    at,
    severity: "info",
    code: null,
    subject: "",
    title: frame.test,
    body: paragraphs([`${frame.happened}: ${frame.tested}`, `${frame.toDo}: ${frame.arrives}`]),
  };
}

const BY_RANK: readonly Severity[] = ["critical", "warning", "info"];

function worst(severities: readonly Severity[]): Severity {
  return BY_RANK.find((severity) => severities.includes(severity)) ?? "info";
}

function about(subject: string): string {
  return subject === "" ? "" : ` (${printable(subject, LONGEST_SUBJECT)})`;
}

function bare(says: string): string {
  return says.replace(/\.$/, "");
}

function sentence(detail: string): string {
  const shown = printable(detail, LONGEST_DETAIL);
  return shown === "" || /[.…]$/.test(shown) ? shown : `${shown}.`;
}

function paragraphs(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join("\n\n");
}

function newId(): string {
  return `msg_${randomUUID().replaceAll("-", "")}`;
}
