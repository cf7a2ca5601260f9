import { base64, subject } from "./mail-text.ts";

export type ReportMail = Readonly<{
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
  // In base64 there is no `=_`, so it is in none of the parts (RFC 2045, 6.7).
  const boundary = "=_report";
  const part = (type: string, body: string): readonly string[] => [
    `--${boundary}`,
    `Content-Type: text/${type}; charset=utf-8`,
    "Content-Transfer-Encoding: base64",
    "",
    base64(body),
  ];
  return [
    `From: GhostInbox <${from}>`,
    `To: ${to.join(",\r\n ")}`,
    `Subject: ${subject(title)}`,
    `Date: ${new Date(at).toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${id}@${host}>`,
    // RFC 3834: no vacation program answers it.
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    `Content-Type: multipart/alternative; boundary="${boundary}"`,
    "",
    ...part("plain", text),
    ...part("html", html),
    `--${boundary}--`,
    "",
  ].join("\r\n");
}
