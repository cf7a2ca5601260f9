import type { KeeperCommand } from "../../admin/declare/keeper.ts";
import { plural } from "../../core/text.ts";
import { formatDuration } from "../../core/time.ts";
import type { AlertMessage } from "../../guard/alerts/ports.ts";
import { type Sender, textOf, titleOf } from "./push.ts";

export type Envelope = Readonly<{ from: string; to: readonly string[]; sender: Sender }>;

/** An alert as a mail (RFC 5322), with CR LF. Its Message-ID is the same at every attempt. */
export function mailText(message: AlertMessage, { from, to, sender }: Envelope): string {
  const text = textOf(message, sender);
  const isPlain = /^[\n\x20-\x7e]*$/.test(text) && text.split("\n").every((line) => line.length <= 900);
  const headers = [
    ...headersOf({ id: message.id, host: sender.host, from, to, at: message.at, title: titleOf(message, sender) }),
    ...(message.severity === "critical" ? ["Importance: high"] : []),
    "Content-Type: text/plain; charset=utf-8",
    `Content-Transfer-Encoding: ${isPlain ? "7bit" : "base64"}`,
  ];
  const body = isPlain ? text.replaceAll("\n", "\r\n") : base64(text);
  return `${headers.join("\r\n")}\r\n\r\n${body}`;
}

function headersOf({ id, host, from, to, at, title }: Omit<ReportMail, "text" | "html">): readonly string[] {
  return [
    `From: GhostInbox <${from}>`,
    `To: ${to.join(",\r\n ")}`,
    `Subject: ${encodedSubject(title)}`,
    `Date: ${new Date(at).toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${id}@${host}>`,
    // RFC 3834: no program answers it automatically.
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
  ];
}

/**
 * The text of a Subject field. An encoded word has at most 75 characters (RFC 2047): 11 characters are at most 44 bytes of UTF-8, which
 * become 60 of base64.
 */
export function encodedSubject(text: string): string {
  if (/^[\x20-\x7e]{1,900}$/.test(text)) return text;
  const parts = text.match(/.{1,11}/gsu) ?? [];
  return parts.map((part) => `=?UTF-8?B?${Buffer.from(part).toString("base64")}?=`).join("\r\n ");
}

/** A body in base64, in lines of 76 characters (RFC 2045, 6.8), with CR LF. */
function base64(text: string): string {
  return `${Buffer.from(text)
    .toString("base64")
    .replaceAll(/.{76}(?=.)/g, "$&\r\n")}\r\n`;
}

type ReportMail = Readonly<{
  /** The part of the Message-ID before the `@`: the same whenever the same report is sent again. */
  id: string;
  host: string;
  from: string;
  to: readonly string[];
  at: number;
  title: string;
  text: string;
  html: string;
}>;

/** A report as a multipart/alternative mail, the richest part last (RFC 2046, 5.1.4); with CR LF. */
export function reportMail({ id, host, from, to, at, title, text, html }: ReportMail): string {
  // Base64 contains no `=_`, so no part contains the boundary (RFC 2045, 6.7).
  const boundary = "=_report";
  const part = (type: string, body: string): readonly string[] => [
    `--${boundary}`,
    `Content-Type: text/${type}; charset=utf-8`,
    "Content-Transfer-Encoding: base64",
    "",
    base64(body),
  ];
  return [
    ...headersOf({ id, host, from, to, at, title }),
    `Content-Type: multipart/alternative; boundary="${boundary}"`,
    "",
    ...part("plain", text),
    ...part("html", html),
    `--${boundary}--`,
    "",
  ].join("\r\n");
}

export type BanMail = Extract<KeeperCommand, { readonly verb: "mail_ban" }>;
type BanMailEnvelope = Readonly<{ from: string; to: string; hostname: string }>;

/** Worded like Fail2ban's own mails (action.d/sendmail.conf), for people who sort mail by them. Contains no text from strangers. */
export function renderBanMail({ prefix, jail, failures, lastsMs, unsaid }: BanMail, envelope: BanMailEnvelope): string {
  const address = prefix.replace(prefix.includes(":") ? "/128" : "/32", "");
  const length = lastsMs === null ? "permanently" : `for ${formatDuration(lastsMs)}`;
  return [
    `From: Fail2Ban <${envelope.from}>`,
    `To: <${envelope.to}>`,
    `Subject: [Fail2Ban] ${jail}: banned ${address} from ${envelope.hostname}`,
    "Auto-Submitted: auto-generated",
    "Content-Type: text/plain; charset=us-ascii",
    "",
    "Hi,",
    "",
    `The IP ${address} has just been banned by Fail2Ban and GhostInbox ${length}`,
    `after ${plural(failures, "attempt")} against ${jail}.`,
    ...(unsaid === 0
      ? []
      : ["", `No mail was sent about the ${plural(unsaid, "ban")} before it: there were too many.`]),
    "",
    "To see why, and to lift it:",
    "",
    `  ghostinbox why ${address.replace(/\/.*$/, "")}`,
    `  ghostinbox unban ${address}`,
    "",
  ].join("\n");
}
