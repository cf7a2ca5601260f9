import type { AlertMessage } from "../../engine/alerts/ports.ts";
import { type Sender, textOf, titleOf } from "./push.ts";

export type Envelope = Readonly<{ from: string; to: readonly string[]; sender: Sender }>;

/** RFC 2047: an encoded word has at most 75 characters; 45 bytes of UTF-8 become 60 of them. */
const WORD_BYTES = 45;
/** RFC 2045, 6.8. */
const BASE64_LINE = 76;

/** An alert as a mail (RFC 5322), with CR LF. Its Message-ID is the same at every attempt. */
export function mailText(message: AlertMessage, { from, to, sender }: Envelope): string {
  const text = textOf(message, sender);
  const isPlain = /^[\n\x20-\x7e]*$/.test(text) && text.split("\n").every((line) => line.length <= 900);
  const headers = [
    `From: GhostInbox <${from}>`,
    `To: ${to.join(",\r\n ")}`,
    `Subject: ${subject(titleOf(message, sender))}`,
    `Date: ${new Date(message.at).toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${message.id}@${sender.host}>`,
    // RFC 3834: no vacation program answers it.
    "Auto-Submitted: auto-generated",
    ...(message.severity === "critical" ? ["Importance: high"] : []),
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Transfer-Encoding: ${isPlain ? "7bit" : "base64"}`,
  ];
  const body = isPlain ? text.replaceAll("\n", "\r\n") : base64(text);
  return `${headers.join("\r\n")}\r\n\r\n${body}`;
}

/** The text of a Subject field. */
export function subject(text: string): string {
  const words: string[] = [];
  if (/^[\x20-\x7e]{1,900}$/.test(text)) return text;
  let word = "";
  for (const character of text) {
    if (Buffer.byteLength(word + character) > WORD_BYTES) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  return [...words, word].map((part) => `=?UTF-8?B?${Buffer.from(part).toString("base64")}?=`).join("\r\n ");
}

/** A body in base64, with CR LF. */
export function base64(text: string): string {
  const lines =
    Buffer.from(text)
      .toString("base64")
      .match(new RegExp(`.{1,${BASE64_LINE}}`, "g")) ?? [];
  return `${lines.join("\r\n")}\r\n`;
}
