import { randomUUID } from "node:crypto";
import { alertText, type Severity } from "../../core/alerts/alerts.ts";
import { plural, printable } from "../../core/text.ts";
import { isoTime, type Millis } from "../../core/time.ts";
import type { Alert, AlertMessage } from "./ports.ts";

/** The text of every message. Text from strangers appears only in the detail and the subject. */

const LONGEST_SUBJECT = 120;
const LONGEST_DETAIL = 500;
/** Most alerts in one digest, so that no channel refuses it as too large. */
const MOST_IN_DIGEST = 50;

export function openedMessage({ code, subject, detail, openedAt }: Alert): AlertMessage {
  const { severity, says, matters, next } = alertText(code);
  return {
    id: newId(),
    kind: "opened",
    at: openedAt,
    severity,
    code,
    subject: printable(subject, LONGEST_SUBJECT),
    title: `${bare(says)}${about(subject)}`,
    body: paragraphs([
      `What happened: ${says} ${sentence(detail)}`,
      matters === "" ? "" : `Why it matters: ${matters}`,
      `What to do: ${next}`,
    ]),
  };
}

export function resolvedMessage({ code, subject, detail, openedAt, resolvedAt, lastAt }: Alert): AlertMessage {
  const { severity, says } = alertText(code);
  return {
    id: newId(),
    kind: "resolved",
    at: resolvedAt ?? lastAt,
    severity,
    code,
    subject: printable(subject, LONGEST_SUBJECT),
    title: `Resolved: ${bare(says)}${about(subject)}`,
    body: paragraphs([
      `This is over: ${says} ${sentence(detail)}`,
      `It lasted from ${isoTime(openedAt)} to ${isoTime(lastAt)}.`,
      "What to do: nothing, unless it returns.",
    ]),
  };
}

/** At least one message. */
export function digestMessage(messages: readonly AlertMessage[], at: Millis): AlertMessage {
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
    title: `${plural(messages.length, "alert")} ${critical === 0 ? "that could wait" : `together, ${critical} of them critical`}`,
    body: paragraphs([
      ...shown.map((one) => `${isoTime(one.at)} ${one.severity}: ${one.title}\n${one.body}`),
      left === 0 ? "" : andMore(left),
    ]),
  };
}

/** The body within so many bytes of UTF-8. A digest loses its oldest alerts; any other message loses its end. */
export function bodyWithin({ kind, body }: AlertMessage, most: number): string {
  const before = Number(MORE.exec(body)?.[1] ?? 0);
  const items = kind === "digest" ? body.replace(MORE, "").split(BETWEEN_ITEMS) : [];
  if (Buffer.byteLength(body) <= most || items.length < 2) return textWithin(body, most);
  for (let gone = 1; gone < items.length; gone++) {
    const cut = paragraphs([...items.slice(gone), andMore(before + gone)]);
    if (Buffer.byteLength(cut) <= most) return cut;
  }
  return textWithin(andMore(before + items.length), most);
}

/** Cuts between characters. */
export function textWithin(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const kept = Buffer.from(text).subarray(0, Math.max(0, most - Buffer.byteLength("…")));
  // The decoder drops the incomplete character at the cut.
  return `${new TextDecoder().decode(kept, { stream: true })}…`;
}

/** Between the alerts of a digest. Text from a stranger cannot imitate this, because it never starts a line. */
const BETWEEN_ITEMS = /\n\n(?=\d{4}-\d\d-\d\dT[\d:.]+Z (?:info|warning|critical): )/;
const MORE = /\n\nAnd (\d+) more before these: `alerts list`\.$/;

function andMore(count: number): string {
  return `And ${count} more before these: \`alerts list\`.`;
}

export function testMessage(at: Millis): AlertMessage {
  return {
    id: newId(),
    kind: "test",
    at,
    severity: "info",
    code: null,
    subject: "",
    title: "This is a test",
    body: paragraphs(["What happened: somebody ran `alerts test`.", "What to do: nothing. Alerts arrive here."]),
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
